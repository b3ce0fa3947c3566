// Fovea: the flags of `fovea watch`.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "flags.h"
#include "fovea/watch.h"

namespace fovea::cli {

struct WatchFlags {
  WatchOptions options;
  std::filesystem::path csv;  ///< empty: none
  ComputeFlags compute;
  OutputFlags output;
};

void add_watch_flags(CLI::App& app, WatchFlags& flags);

}  // namespace fovea::cli
