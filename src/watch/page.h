// Fovea: a database as a page: one HTML file that needs nothing else, in light and dark, on screen, phone and paper.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "watch/page_data.h"

namespace fovea::watching {

[[nodiscard]] std::string to_html(const PageData& data);

/// The page of `store`, which is the file `database`.
Result<void> write_page(Store& store, const std::filesystem::path& database, const std::filesystem::path& page);

}  // namespace fovea::watching
