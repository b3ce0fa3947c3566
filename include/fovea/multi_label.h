// Fovea: figures of models that give a photo any number of labels.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fovea/interval.h"

namespace fovea {

/// How good such a model is. An average precision judges the order of the probabilities; the others judge the labels that are
/// answered: those at or above the threshold of their class.
struct MultiLabelFigures {
  double mean_average_precision = 0.0;  ///< over the classes that have photos
  Interval interval;                    ///< of that, at 95 %: by resampling the photos
  /// What order by chance would reach: the mean share of the photos that a class has.
  double chance = 0.0;
  double micro_f1 = 0.0;     ///< of all answers together
  double macro_f1 = 0.0;     ///< mean over the classes that have photos
  double exact_match = 0.0;  ///< share of photos with all of their labels and no other
};

}  // namespace fovea
