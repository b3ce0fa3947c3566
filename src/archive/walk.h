// Fovea: which photos of an archive have to be looked at.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "archive/catalog.h"
#include "core/context.h"
#include "fovea/result.h"

namespace fovea::archive {

struct Walked {
  std::vector<std::filesystem::path> photos;  ///< each once, in the order of the paths, bytewise within each
  std::unordered_map<std::string, KnownPhoto> known;
};

/// Every photo that `paths` name or that lies below them. kNotFound for a path that is not there.
Result<Walked> walk(const Context& context, const std::vector<std::filesystem::path>& paths, Catalog* catalog,
                    const std::function<void(std::string_view)>& note);

}  // namespace fovea::archive
