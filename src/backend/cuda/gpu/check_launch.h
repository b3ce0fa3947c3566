// Fovea: declared apart, for kernels' sources.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace fovea::cuda {

/// Throws a DeviceFailure if the last start of a kernel failed.
void check_launch();

}  // namespace fovea::cuda
