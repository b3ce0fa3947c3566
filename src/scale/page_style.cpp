// SPDX-License-Identifier: Apache-2.0
#include "scale/page.h"

namespace fovea::checkout {

std::string_view page_style() {
  return R"css(
:root{color-scheme:light dark;--paper:#f4f3ef;--card:#fff;--ink:#1c1d1a;--quiet:#62645c;--line:#d9d8d0;--sure:#1d7a3e;--on-sure:#fff;--track:#e9e8e2;--warn:#a33a12}
@media(prefers-color-scheme:dark){:root{--paper:#161715;--card:#22241f;--ink:#f0f0ea;--quiet:#a2a59a;--line:#3a3c36;--sure:#4fc47d;--on-sure:#08210f;--track:#31342d;--warn:#f0916a}}
*{box-sizing:border-box}
html,body{height:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:18px/1.35 system-ui,"Segoe UI",Roboto,"Noto Sans",sans-serif;display:flex;flex-direction:column;-webkit-tap-highlight-color:transparent}
main{flex:1;min-height:0;display:grid;grid-template-columns:minmax(0,1.15fr) minmax(340px,1fr);grid-template-rows:minmax(0,1fr);gap:28px;padding:28px;max-width:1500px;width:100%;margin:0 auto}
.view{position:relative;border-radius:18px;overflow:hidden;background:var(--track);aspect-ratio:4/3;align-self:start;border:1px solid var(--line)}
.view img{width:100%;height:100%;object-fit:cover;display:block}
.view img:not([src]){visibility:hidden}
#blind{display:none;position:absolute;inset:0;margin:0;place-items:center;text-align:center;background:color-mix(in srgb,var(--track) 82%,transparent);font-size:22px;color:var(--quiet)}
[data-state="no picture"] #blind{display:grid}
.side{display:flex;flex-direction:column;gap:14px;min-height:0;overflow:auto;margin:-6px;padding:6px}
.side>*{flex:none}
.head{display:flex;flex-wrap:wrap;align-items:baseline;justify-content:space-between;gap:4px 20px}
h1{font-size:40px;line-height:1.12;letter-spacing:-.02em;font-weight:680;margin:0;overflow-wrap:anywhere}
#weight{margin:0;font-size:26px;font-variant-numeric:tabular-nums;color:var(--quiet)}
#weight.stable{color:var(--ink);font-weight:600}
#hint{margin:0;color:var(--quiet);min-height:1.35em}
#hint.bad{color:var(--warn)}
button{font:inherit;color:inherit;cursor:pointer}
#answers{display:grid;gap:12px}
#answers:empty{display:none}
.answer{position:relative;display:grid;grid-template-columns:auto 1fr auto;align-items:center;gap:16px;min-height:92px;padding:12px 22px;text-align:left;background:var(--card);border:2px solid var(--line);border-radius:16px;overflow:hidden}
.answer b{font-size:27px;font-weight:640;line-height:1.15;overflow-wrap:anywhere}
.answer i{font-style:normal;font-variant-numeric:tabular-nums;color:var(--quiet);font-size:19px}
.answer u{position:absolute;left:0;bottom:0;height:6px;background:var(--quiet);opacity:.45}
.answer.first{border-color:var(--sure)}
.answer.first u{background:var(--sure);opacity:1}
.answer.taken,.answer.first:active{background:var(--sure);border-color:var(--sure);color:var(--on-sure)}
.answer.taken i,.answer.taken kbd{color:inherit;border-color:currentColor}
.answer:hover,#other:hover,#found button:hover{border-color:var(--quiet)}
kbd{font:600 16px/1 ui-monospace,monospace;display:inline-grid;place-items:center;min-width:32px;height:32px;padding:0 8px;border:1.5px solid var(--line);border-radius:8px;color:var(--quiet)}
#other{display:flex;align-items:center;gap:16px;min-height:64px;padding:8px 22px;background:transparent;border:2px dashed var(--line);border-radius:16px;text-align:left;font-size:20px}
[data-state="nothing"] #other,[data-state="changing"] #other,[data-state="no picture"] #other,[data-state="wait"] #other,[data-search] #other{display:none}
#search{display:flex;flex-direction:column;gap:12px;flex:1 0 240px;min-height:0}
[data-search] #answers{grid-template-columns:repeat(3,minmax(0,1fr));gap:8px}
[data-search] .answer{grid-template-columns:minmax(0,1fr);min-height:64px;padding:8px 12px;border-radius:12px}
[data-search] .answer b{font-size:18px}
[data-search] .answer kbd,[data-search] .answer i{display:none}
#search[hidden]{display:none}
#query{font:inherit;font-size:22px;padding:14px 18px;border:2px solid var(--line);border-radius:14px;background:var(--card);color:var(--ink);width:100%}
#found{display:grid;grid-template-columns:repeat(auto-fill,minmax(170px,1fr));gap:8px;overflow:auto;align-content:start;flex:1 1 0;min-height:0;padding:2px}
#found button{min-height:56px;padding:8px 14px;text-align:left;background:var(--card);border:2px solid var(--line);border-radius:12px;line-height:1.15;overflow-wrap:anywhere}
#found .new{border-style:dashed}
#found .at{border-color:var(--sure)}
:focus-visible{outline:3px solid var(--sure);outline-offset:2px}
footer{display:flex;justify-content:space-between;align-items:center;gap:16px;padding:10px 28px;border-top:1px solid var(--line);color:var(--quiet);font-size:15px}
#empty{background:none;border:1px solid var(--line);border-radius:9px;padding:7px 13px;color:var(--quiet)}
[data-state="nothing"] .view,[data-state="changing"] .view{opacity:.96}
@media(max-width:820px),(max-height:560px){
body{font-size:17px}
main{gap:14px;padding:14px}
.view{border-radius:14px}
h1{font-size:29px}#weight{font-size:21px}
#answers{gap:9px}.answer{min-height:70px;padding:8px 15px;gap:12px;border-radius:14px}.answer b{font-size:21px}.answer i{font-size:17px}
#other{min-height:54px;padding:6px 15px;font-size:18px;gap:12px}
#found{grid-template-columns:repeat(auto-fill,minmax(140px,1fr))}
footer{padding:8px 14px;font-size:14px}
}
@media(max-height:560px){
main{grid-template-columns:minmax(0,1fr) minmax(320px,1fr)}
.view{max-height:100%}
.side{gap:8px}.answer{min-height:62px}
footer{padding:5px 14px}
}
@media(max-height:420px){main{padding:10px}h1{font-size:22px}#answers,.side{gap:6px}.answer{min-height:50px;padding:4px 13px}#other{min-height:42px}}
@media(max-width:820px) and (max-aspect-ratio:1/1){
main{grid-template-columns:minmax(0,1fr);grid-template-rows:auto auto;align-content:start;overflow:auto}
.side{overflow:visible}
#search{flex:none}#found{overflow:visible;flex:none}
[data-search] .view{max-height:20vh}
.view{aspect-ratio:16/10;max-height:38vh;width:100%}
}
@media(prefers-reduced-motion:no-preference){.answer,#other{transition:border-color .12s,background .12s}.answer u{transition:width .25s}}
)css";
}

}  // namespace fovea::checkout
