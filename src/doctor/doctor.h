// Fovea: the doctor on any system, such as one made of files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fovea/doctor.h"
#include "hardware/system_view.h"

namespace fovea {

[[nodiscard]] DoctorReport examine(const DoctorOptions& options, const hardware::SystemView& system);

}  // namespace fovea
