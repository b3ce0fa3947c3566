// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "fovea/figures.h"
#include "report/charts.h"
#include "report/html.h"

namespace fovea::report {

namespace {

std::string set_text(const std::string& labels) { return labels.empty() ? "nothing" : labels; }

/// What the photo shows, and what the model made of it.
std::string story(const Mistake& m) {
  if (m.about.empty()) return fmt::format(R"(<b>{}</b> taken for <b class="wrong">{}</b>)", escape(m.label), escape(m.predicted));
  return fmt::format(R"(shows <b>{}</b>, answered <b>{}</b>: wrong about <b class="wrong">{}</b>)", escape(set_text(m.label)),
                     escape(set_text(m.predicted)), escape(m.about));
}

}  // namespace

std::string mistakes(std::span<const Mistake> all) {
  std::string html = "<div class=\"gallery\">\n";
  std::size_t bytes = 0;
  for (const Mistake& m : all) {
    bytes += m.photo.size() + m.heat.size();
    if (bytes > kMostPictureBytes) break;
    const std::string name = m.path.substr(m.path.find_last_of('/') + 1);
    html += fmt::format(
        R"(<figure class="card"><div class="two-up"><img src="{}" alt="{}"><img src="{}" alt="where the network looked"></div>)"
        R"(<figcaption><span class="count">{}</span>{}<small title="{}">{}</small>)"
        "</figcaption></figure>\n",
        data_uri("image/jpeg", m.photo), escape(m.label), data_uri("image/jpeg", m.heat), percent(m.probability), story(m),
        escape(m.path), escape(name));
  }
  return html +
         "</div>\n<p class=\"key heat\">little<i></i>much speaks for the class that the answer is wrong about; "
         "black: cut away before the "
         "network sees the photo (Grad-CAM)</p>\n";
}

}  // namespace fovea::report
