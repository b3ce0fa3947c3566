// SPDX-License-Identifier: Apache-2.0
#include "watch/page_figures.h"

namespace fovea::watching {

std::string_view page_style() {
  return R"css(
:root{--c0:36 86 198;--c1:222 146 20;--c2:0 138 118;--c3:142 80 184;--c4:198 62 52;--c5:84 164 214;--c6:122 122 30;--c7:128 132 140;--night:52 56 76;--bad:186 38 32}
@media(prefers-color-scheme:dark){:root{--c0:110 156 250;--c1:242 180 78;--c2:66 194 170;--c3:190 142 232;--c4:240 118 108;--c5:142 206 246;--c6:188 188 90;--c7:150 155 165;--night:58 62 84;--bad:255 122 112}}
.c0{--c:var(--c0)}.c1{--c:var(--c1)}.c2{--c:var(--c2)}.c3{--c:var(--c3)}.c4{--c:var(--c4)}.c5{--c:var(--c5)}.c6{--c:var(--c6)}.c7{--c:var(--c7)}.night{--c:var(--night)}.bad{--c:var(--bad)}
.state{font-size:46px;font-weight:680;line-height:1.1;letter-spacing:-.02em;margin:0 0 6px;overflow-wrap:anywhere}
.hero img{width:112px;border-radius:8px;float:right;margin:0 0 8px 14px}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin:12px 0 0;font-size:13px;color:var(--quiet)}
.legend b{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:6px;vertical-align:-1px}
.legend b,.day i,.shares i{background:rgb(var(--c)/var(--a,1))}
.day .bad,.legend .bad{background:repeating-linear-gradient(135deg,rgb(var(--bad)) 0 3px,transparent 3px 6px)}
.day .unknown,.legend .unknown,.shares .unknown{background:repeating-linear-gradient(90deg,var(--quiet) 0 2px,transparent 2px 5px)}
.day{position:relative;height:56px;background:var(--track);border-radius:8px;overflow:hidden}
.day i{position:absolute;top:0;bottom:0}
.hours{position:relative;height:20px;font-size:12px;color:var(--quiet)}
.hours span{position:absolute;top:4px;transform:translateX(-50%)}
.hours span:first-child{transform:none}.hours span:last-child{transform:translateX(-100%)}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(104px,1fr));gap:10px;margin-top:16px;font-size:12.5px;color:var(--quiet)}
.pictures img{display:block;width:100%;border-radius:6px;margin-bottom:4px}
.pictures b{color:var(--ink);font-weight:600}
.year rect{fill:rgb(var(--c)/var(--a,1))}
.year .void{fill:var(--track)}
.year .bad{fill:none;stroke:rgb(var(--bad));stroke-width:1.5}
.shares{display:grid;grid-template-columns:max-content 1fr max-content;gap:6px 14px;align-items:center;font-size:14px}
.shares div{display:flex;height:16px;border-radius:4px;overflow:hidden;background:var(--track)}
.shares span:last-child,.shares .count{text-align:right}
.scroll.newest{direction:rtl}.scroll.newest svg{direction:ltr;margin:0 auto 0 0}
@media(max-width:760px){.state{font-size:36px}.pictures{grid-template-columns:repeat(auto-fill,minmax(84px,1fr));gap:8px}}
@media print{.day i,.legend b,.shares i{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
)css";
}

}  // namespace fovea::watching
