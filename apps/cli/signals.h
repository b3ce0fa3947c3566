// Fovea: Ctrl-C and SIGTERM as a request to finish cleanly.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

namespace fovea::cli {

/// Becomes true at the first SIGINT or SIGTERM; a second one ends the program at once. A signal handler can reach nothing but
/// static storage: with the next, the only globals of the program.
const std::atomic<bool>& stop_on_signals();

/// Becomes true at every SIGHUP; whoever acts on it makes it false again.
std::atomic<bool>& reload_on_signal();

}  // namespace fovea::cli
