// SPDX-License-Identifier: Apache-2.0
#include "scale/page.h"

#include <fmt/format.h>

namespace fovea::checkout {

const char* page_policy() {
  return "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src blob: data:; connect-src 'self'; "
         "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

std::string page_html() {
  return fmt::format(R"html(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Scale</title><link rel="icon" href="data:,"><style>{}</style></head>
<body data-state="wait">
<main>
<section class="view"><img id="picture" alt="What the camera sees"><p id="blind">No picture from the camera</p></section>
<section class="side">
<div class="head"><h1 id="title" aria-live="polite">One moment</h1><p id="weight" hidden></p></div>
<p id="hint"></p>
<div id="answers" role="group" aria-label="Answers"></div>
<button id="other" type="button"><kbd>0</kbd><span>None of these</span></button>
<div id="search" hidden>
<input id="query" type="text" autocomplete="off" spellcheck="false" maxlength="60" placeholder="Name of the item" aria-label="Name of the item">
<div id="found" role="listbox" aria-label="Kinds"></div>
</div>
</section>
</main>
<footer><span id="status">Connecting</span><button id="empty" type="button">The scale is empty now</button></footer>
<script>{}</script>
</body></html>
)html",
                     page_style(), page_script());
}

}  // namespace fovea::checkout
