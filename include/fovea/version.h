// Fovea: which version this is.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace fovea {

/// "0.1.0", as in CMakeLists.txt.
[[nodiscard]] std::string_view version();

}  // namespace fovea
