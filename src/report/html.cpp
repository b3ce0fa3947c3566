// SPDX-License-Identifier: Apache-2.0
#include "report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "fovea/base64.h"

namespace fovea::report {

std::string escape(std::string_view text) {
  const bool sound = is_utf8(text);
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !sound) ? '?' : c;
    }
  }
  return out;
}

std::string data_uri(std::string_view type, std::span<const std::byte> bytes) {
  return fmt::format("data:{};base64,{}", type, base64(bytes));
}

std::string section(std::string_view title, std::string_view lead, std::string_view html) {
  return fmt::format("<section>\n<h2>{}</h2>\n<p class=\"lead\">{}</p>\n{}</section>\n", escape(title), escape(lead), html);
}

std::string figure(std::string_view caption, std::string_view html) {
  return fmt::format("<figure><figcaption>{}</figcaption>{}</figure>\n", escape(caption), html);
}

std::string term(std::string_view name, std::string_view value) {
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
}

std::string bar(double share, std::string_view kind) {
  return fmt::format(R"(<span class="bar"><i class="{}" style="width:{:.1f}%"></i></span>)", kind,
                     100 * std::clamp(share, 0.0, 1.0));
}

}  // namespace fovea::report
