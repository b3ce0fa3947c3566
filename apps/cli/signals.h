// Fovea: Ctrl-C and SIGTERM as a request to finish cleanly.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

namespace fovea::cli {

/// Becomes true at the first SIGINT or SIGTERM; a second one ends the program at once. A signal handler can reach nothing but
/// static storage: the one global of the program.
const std::atomic<bool>& stop_on_signals();

}  // namespace fovea::cli
