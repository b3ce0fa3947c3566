// Fovea: from what a photo shows to the keywords that say so.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "archive/catalog.h"
#include "fovea/classifier.h"
#include "metadata/xmp.h"

namespace fovea::archive {

struct Wording {
  std::string model;                         ///< "weather": the level above the classes
  std::map<std::string, std::string> names;  ///< class to keyword, levels separated by '/' or '|'; empty: none
  double min_probability = 0.5;
};

/// What an answer comes to.
struct Words {
  metadata::Keywords fields;
  std::vector<std::string> shown;  ///< "Weather/Cloudy", "cloudy"
  std::vector<OwnKeyword> levels;
};

/// A class gives its last level to dc:subject, and all of them, below "Fovea" and the model's name where no other name was
/// given, to the hierarchical fields. A rejected photo, and a class below the least probability, gives none.
[[nodiscard]] Words words_for(const Answer& answer, const Wording& wording);

/// What a record says of an answer: the classes from one in a hundred on.
[[nodiscard]] std::vector<std::string> predictions_text(const Answer& answer);

/// The photo's own words that a field has to repeat, so that programs which read that field alone do not lose sight of them.
[[nodiscard]] metadata::Keywords carried_words(const metadata::Keywords& others);

}  // namespace fovea::archive
