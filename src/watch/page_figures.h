// Fovea: the figures of the page, a file each. Every function gives HTML.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "watch/page_data.h"

namespace fovea::watching {

/// CSS beyond the report's: colours of classes, night, faults.
[[nodiscard]] std::string_view page_style();

/// The CSS class of a class's colour: the seven most frequent have one each, the others share the eighth.
[[nodiscard]] std::string colour_of(const std::string& name, const std::vector<std::string>& classes);
/// "60 clear, 12 cloudy, 3 unknown, 72 at night, 1 without a picture, 2 missed"
[[nodiscard]] std::string counts_text(const Summary& summary);
/// What the colours mean.
[[nodiscard]] std::string legend(const PageData& data);

/// The day from midnight to midnight, a stripe for each record, and some of its pictures.
[[nodiscard]] std::string strip(const PageData& data);
/// A square for each day, coloured by its most frequent class, strong where that has most of the day; the latest years.
[[nodiscard]] std::string calendar(const PageData& data);
/// A bar for each span, as long as its classes have shares; the latest `most`.
[[nodiscard]] std::string share_bars(const std::vector<Summary>& spans, const PageData& data, const char* pattern,
                                     std::size_t most);

}  // namespace fovea::watching
