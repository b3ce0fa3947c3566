// Fovea: how a report looks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace fovea::report {

/// CSS for light, dark, small screens and paper. Blue and orange are told apart with every common kind of colour blindness.
[[nodiscard]] std::string_view style();

}  // namespace fovea::report
