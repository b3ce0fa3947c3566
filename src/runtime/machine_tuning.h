// Fovea: this machine's choices between kernels, in the user's cache folder.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "core/tuning.h"
#include "hardware/system_view.h"

namespace fovea {

/// For Context::tuning: Mode::kMeasure of jobs that run long enough to pay for timing. A file for each processor and program
/// version, in user_cache_folder() / "tuning"; numbers of threads are part of the choices' names. Null, which means fixed
/// choices, where the environment says FOVEA_TUNE=off or there is no cache folder.
[[nodiscard]] std::shared_ptr<Tuning> machine_tuning(Tuning::Mode mode,
                                                     const hardware::SystemView& system = hardware::this_system());

}  // namespace fovea
