// Fovea: the page for the customer: one piece of HTML that needs nothing from elsewhere.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace fovea::checkout {

[[nodiscard]] std::string page_html();
/// Its Content-Security-Policy: nothing from elsewhere, and in nobody's frame.
[[nodiscard]] const char* page_policy();

[[nodiscard]] std::string_view page_style();
[[nodiscard]] std::string_view page_script();

}  // namespace fovea::checkout
