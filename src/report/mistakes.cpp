// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "report/charts.h"
#include "report/html.h"

namespace fovea::report {

std::string mistakes(std::span<const Mistake> all) {
  std::string html = "<div class=\"gallery\">\n";
  std::size_t bytes = 0;
  for (const Mistake& m : all) {
    bytes += m.photo.size() + m.heat.size();
    if (bytes > kMostPictureBytes) break;
    const std::string name = m.path.substr(m.path.find_last_of('/') + 1);
    html += fmt::format(
        R"(<figure class="card"><div class="two-up"><img src="{}" alt="{}"><img src="{}" alt="where the network looked"></div>)"
        R"(<figcaption><span class="count">{}</span><b>{}</b> taken for <b class="wrong">{}</b><small title="{}">{}</small>)"
        "</figcaption></figure>\n",
        data_uri("image/jpeg", m.photo), escape(m.label), data_uri("image/jpeg", m.heat), percent(m.probability), escape(m.label),
        escape(m.predicted), escape(m.path), escape(name));
  }
  return html +
         "</div>\n<p class=\"key heat\"><i></i>little <span></span>much speaks for the wrong class; black: cut away before the "
         "network sees the photo (Grad-CAM)</p>\n";
}

}  // namespace fovea::report
