// Fovea: the backend that runs the definitions as they stand. Slow; what every other backend is compared with.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "backend/backend.h"

namespace fovea {

[[nodiscard]] std::unique_ptr<Backend> make_reference_backend();

}  // namespace fovea
