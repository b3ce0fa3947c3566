// Fovea: from what a photo shows to the keywords that say so.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "archive/catalog.h"
#include "fovea/classifier.h"
#include "metadata/xmp.h"

namespace fovea::archive {

struct Wording {
  std::string model;                         ///< "weather": the level above the classes
  std::map<std::string, std::string> names;  ///< class to keyword, levels separated by '/' or '|'; empty: none
  std::optional<double> min_probability;     ///< not given: 0.5 for one class, the model's thresholds for any number of labels
  bool multi_label = false;
};

/// What an answer comes to.
struct Words {
  metadata::Keywords fields;
  std::vector<std::string> shown;  ///< "Weather/Cloudy", "cloudy"
  std::vector<OwnKeyword> levels;
};

/// A class gives its last level to dc:subject, and all of them, below "Fovea" and the model's name where no other name was
/// given, to the hierarchical fields. A rejected photo, and a class below the least probability, gives none. Of any number of
/// labels all that the photo shows count, else the most probable class.
[[nodiscard]] Words words_for(const Answer& answer, const Wording& wording);

/// What a record says of an answer: the classes from one in a hundred on.
[[nodiscard]] std::vector<std::string> predictions_text(const Answer& answer);

/// The photo's own words that a field has to repeat, so that programs which read that field alone do not lose sight of them.
[[nodiscard]] metadata::Keywords carried_words(const metadata::Keywords& others);

}  // namespace fovea::archive
