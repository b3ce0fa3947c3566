// Fovea: a page of what the network sees of a data set, suspicious photos first.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "check/findings.h"
#include "fovea/check.h"

namespace fovea::checking {

/// One self-contained HTML file from the thumbnails of the survey: labels that look wrong, copies across splits and classes,
/// files that cannot be used, then some photos of every class. `input` says how photos were fitted.
[[nodiscard]] std::string contact_sheet(const CheckReport& report, const Surveyed& surveyed, const Preprocess& input);

}  // namespace fovea::checking
