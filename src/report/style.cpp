// SPDX-License-Identifier: Apache-2.0
#include "report/style.h"

namespace fovea::report {

std::string_view style() {
  return R"css(
:root{color-scheme:light dark;--paper:#fbfbf9;--card:#fff;--ink:#1a1c20;--quiet:#5d626c;--line:#e2e2dc;--one:36 86 198;--two:196 98 10;--track:#ecece6}
@media(prefers-color-scheme:dark){:root{--paper:#131519;--card:#1a1d23;--ink:#e8e9ed;--quiet:#a0a6b2;--line:#2d3139;--one:122 166 255;--two:242 160 78;--track:#262a32}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1080px;margin:0 auto;padding:40px 24px 72px}
header .over{margin:0;color:var(--quiet);font-size:14px;letter-spacing:.02em}
h1{margin:2px 0 28px;font-size:30px;line-height:1.2;letter-spacing:-.015em;overflow-wrap:anywhere}
h2{margin:0;font-size:22px;line-height:1.25;letter-spacing:-.01em}
section{margin-top:60px}
.lead{margin:4px 0 20px;max-width:68ch;color:var(--quiet)}
.note{margin:8px 0 0;font-size:14px;color:var(--quiet);max-width:62ch}
.note strong{color:var(--ink)}
.hero,.pair{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:20px;align-items:start}
.stack{display:grid;gap:20px}
.hero>*,figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:20px 22px;min-width:0}
.hero>*{height:100%}
figure+figure{margin:0}
section>figure{margin-bottom:20px}
figcaption{font-size:14px;font-weight:600;margin-bottom:12px}
.big{font-size:68px;font-weight:680;line-height:1;letter-spacing:-.035em;margin:2px 0 6px}
.big small{font-size:32px;font-weight:600;letter-spacing:-.01em}
.hero p{margin:0 0 14px}
.hero .worth{font-size:14px;color:var(--quiet);margin:12px 0 0}
dl{margin:0}
b,strong,td,th,dd{unicode-bidi:isolate}
.tiles{display:grid;grid-template-columns:1fr 1fr;gap:18px 20px}
dt{font-size:13px;color:var(--quiet)}
dd{margin:0;font-weight:600;overflow-wrap:anywhere}
.facts>div{display:grid;grid-template-columns:minmax(110px,26%) 1fr;gap:14px;padding:7px 0;border-top:1px solid var(--line)}
.facts>div:first-child{border-top:0}
.facts dt,.facts dd{font-size:14px}
.facts dd{font-weight:400}
svg{display:block}
.plot,.interval{width:100%;max-width:520px;height:auto;overflow:visible}
svg text{font-size:12px;fill:var(--quiet)}
.mid{text-anchor:middle}.end{text-anchor:end}
svg .name{fill:var(--ink)}
.grid{stroke:var(--line);fill:none}
.interval .grid{stroke:var(--track);stroke-width:8;stroke-linecap:round}
.band{stroke:rgb(var(--one)/.35);stroke-width:8;stroke-linecap:round}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.line.one{stroke:rgb(var(--one))}.line.two{stroke:rgb(var(--two)/.75)}.line.faint{stroke:var(--quiet);stroke-dasharray:3 4;stroke-width:1}
.dot.one{fill:rgb(var(--one)/.8)}.dot.two{fill:rgb(var(--two)/.5)}
.key{margin:8px 0 0;font-size:13px;color:var(--quiet)}
.key b{display:inline-block;width:14px;height:4px;border-radius:2px;margin:0 6px 3px 12px;background:var(--quiet)}
.key b:first-child{margin-left:0}
.key .one{background:rgb(var(--one))}.key .two{background:rgb(var(--two))}.key .faint{background:none;border-top:2px dashed var(--quiet);border-radius:0;height:0}
.key.heat i{display:inline-block;width:72px;height:10px;border-radius:5px;margin:0 8px;background:linear-gradient(90deg,#0e1654,#2e4e9c 30%,#7e808a 55%,#e2b240 80%,#fff496)}
.scroll{overflow:auto;max-height:min(85vh,960px);-webkit-overflow-scrolling:touch}
table{border-collapse:collapse;font-size:14px}
th{font-weight:600;text-align:left}
.num{text-align:right;white-space:nowrap}
.matrix{border-spacing:2px;border-collapse:separate}
.matrix thead th{vertical-align:bottom;padding:0 0 6px;text-align:center;font-size:13px}
.matrix thead span{display:inline-block;writing-mode:vertical-rl;transform:rotate(180deg);max-height:150px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;line-height:1.2}
.matrix .corner{font-weight:400;color:var(--quiet);text-align:right;padding-right:10px}
.matrix tbody th{text-align:right;padding:0 10px 0 0;font-size:13px;white-space:nowrap;max-width:180px;overflow:hidden;text-overflow:ellipsis}
.matrix td{min-width:42px;height:42px;text-align:center;border-radius:5px;background:var(--track)}
.matrix .none{color:var(--quiet);background:none}
.matrix .good{background:rgb(var(--one)/var(--a))}.matrix .bad{background:rgb(var(--two)/var(--a))}
.matrix .deep{color:var(--card);font-weight:600}
.grid-of-classes text{font-size:10.5px}
.field{fill:var(--track);opacity:.55}
rect.good{fill:rgb(var(--one))}rect.bad{fill:rgb(var(--two))}
.pairs{list-style:none;margin:0;padding:0}
.pairs li{display:grid;grid-template-columns:1fr auto;gap:2px 12px;padding:7px 0;font-size:14px;border-top:1px solid var(--line)}
.pairs li:first-child{border-top:0}
.pairs span{min-width:0;overflow-wrap:anywhere}
.pairs .bar{grid-column:1/-1}
.count{color:var(--quiet);white-space:nowrap}
.bar{display:block;height:6px;border-radius:3px;background:var(--track);overflow:hidden}
.bar i{display:block;height:100%;border-radius:3px;background:rgb(var(--one))}
.bar i.bad{background:rgb(var(--two))}
.classes{width:100%}
.classes th,.classes td{padding:6px 12px;border-bottom:1px solid var(--line)}
.classes th:first-child{padding-left:0}
.classes thead th{font-size:13px;color:var(--quiet);font-weight:500;white-space:nowrap}
.classes tbody th{overflow-wrap:anywhere;min-width:110px}
.found{min-width:170px}
.found .bar{display:inline-block;width:calc(100% - 72px);vertical-align:middle}
.found span:last-child{display:inline-block;width:66px;text-align:right}
.quiet,.empty td{color:var(--quiet)}
.gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));gap:16px}
.card{padding:10px}
.two-up{display:grid;grid-template-columns:1fr 1fr;gap:4px}
.two-up img{width:100%;aspect-ratio:4/3;object-fit:contain;background:#0d0e11;border-radius:6px;display:block}
.card figcaption{margin:9px 4px 2px;font-weight:400;overflow-wrap:anywhere}
.card .count{float:right;margin-left:10px}
.wrong{color:rgb(var(--two))}
.card small{display:block;color:var(--quiet);font-size:12.5px;overflow-wrap:anywhere;clear:both}
.choices{width:100%}
.choices th,.choices td{padding:7px 0;border-top:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
.choices tr:first-child th,.choices tr:first-child td{border-top:0}
.choices th{width:150px;padding-right:14px;color:var(--quiet);font-weight:400}
.choices span{display:block;color:var(--quiet)}
.skipped{margin:0;padding:0;list-style:none;font-size:14px;overflow-wrap:anywhere}
.skipped span{color:var(--quiet)}
footer{margin-top:64px;padding-top:16px;border-top:1px solid var(--line);font-size:13px;color:var(--quiet)}
@media(max-width:760px){main{padding:24px 14px 48px}.hero,.pair{grid-template-columns:minmax(0,1fr)}section{margin-top:44px}.hero>*,figure{padding:16px 14px}.card{padding:8px}.gallery{grid-template-columns:minmax(0,1fr)}h1{font-size:25px;margin-bottom:20px}.big{font-size:58px}.choices,.choices tbody,.choices tr,.choices th,.choices td{display:block;width:auto}.choices td{border-top:0;padding-top:0}.facts>div{grid-template-columns:1fr;gap:0}.classes th,.classes td{padding:6px 7px}.found{min-width:136px}.classes tbody th{min-width:84px}}
@media print{:root{color-scheme:light;--paper:#fff;--card:#fff;--ink:#000;--quiet:#444;--line:#ccc;--one:36 86 198;--two:176 84 0;--track:#eee}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}main{max-width:none;padding:0}body{font-size:12px}section{margin-top:28px}figure,.card,tr,li,.hero{break-inside:avoid}h2,.lead{break-after:avoid}.scroll{overflow:visible;max-height:none}.gallery{grid-template-columns:repeat(3,1fr)}.grid-of-classes{width:100%;height:auto}}
)css";
}

}  // namespace fovea::report
