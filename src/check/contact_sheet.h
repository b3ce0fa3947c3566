// Fovea: a page of what the network sees of a data set, suspicious photos first.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "check/findings.h"
#include "fovea/check.h"

namespace fovea::checking {

/// kUsage unless it ends in .html or .htm, so that no photo is overwritten by mistake; kIo if it cannot be written.
Result<void> check_sheet_name(const std::filesystem::path& path);

/// One self-contained HTML file from the thumbnails of the survey: labels that look wrong, copies across splits and classes,
/// files that cannot be used, then some photos of every class. `input` says how photos were fitted.
[[nodiscard]] std::string contact_sheet(const CheckReport& report, const Surveyed& surveyed, const Preprocess& input);

}  // namespace fovea::checking
