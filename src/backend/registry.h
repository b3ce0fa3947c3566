// Fovea: the one list of backends.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "backend/backend.h"

namespace fovea {

/// "cpu", "cuda", "reference".
[[nodiscard]] std::span<const std::string_view> backend_names();

/// A backend by name, of several devices the one of index `device`; an error says why it cannot be had (an absent CUDA) or which
/// names there are.
Result<std::unique_ptr<Backend>> make_backend(std::string_view name, int device = 0);

}  // namespace fovea
