// SPDX-License-Identifier: Apache-2.0
#include "train/label_sets.h"

#include <algorithm>
#include <cmath>

#include "train/average_precision.h"
#include "train/label_calibration.h"
#include "train/metrics.h"

namespace fovea::training {
namespace {

/// How often a label was there, was answered, and both.
struct Tally {
  std::int64_t there = 0;
  std::int64_t answered = 0;
  std::int64_t both = 0;

  void count(bool is_there, bool is_answered) {
    there += is_there ? 1 : 0;
    answered += is_answered ? 1 : 0;
    both += is_there && is_answered ? 1 : 0;
  }
  static double share(std::int64_t part, std::int64_t whole) {
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
  }
  [[nodiscard]] double f1() const { return share(2 * both, there + answered); }
};

std::vector<Tally> tallies_of(const LabelSetPredictions& predictions, std::span<const std::uint8_t> answered) {
  std::vector<Tally> tallies(predictions.classes);
  for (std::size_t i = 0; i < answered.size(); ++i)
    tallies[i % predictions.classes].count(predictions.targets[i] != 0, answered[i] != 0);
  return tallies;
}

/// As in a CSV: "a;b".
std::string joined(std::span<const std::uint8_t> has, std::span<const std::string> names) {
  std::string text;
  for (std::size_t k = 0; k < names.size(); ++k) {
    if (has[k] != 0) text += (text.empty() ? "" : ";") + names[k];
  }
  return text;
}

}  // namespace

std::vector<std::uint8_t> targets_of(std::span<const std::int32_t> index, std::span<const Sample> samples, int classes) {
  const auto width = static_cast<std::size_t>(classes);
  std::vector<std::uint8_t> targets(index.size() * width, 0);
  for (std::size_t row = 0; row < index.size(); ++row) {
    for (const int label : samples[static_cast<std::size_t>(index[row])].labels)
      targets[row * width + static_cast<std::size_t>(label)] = 1;
  }
  return targets;
}

double log_loss(const LabelSetPredictions& predictions) {
  constexpr double kSmallest = 0x1p-24;  // a float's distance from 1: a probability that rounded to 0 or 1 costs something finite
  double sum = 0;
  for (std::size_t i = 0; i < predictions.targets.size(); ++i) {
    const double p = predictions.probabilities[i];
    sum -= std::log(std::max(kSmallest, predictions.targets[i] != 0 ? p : 1 - p));
  }
  return predictions.rows() > 0 ? sum / static_cast<double>(predictions.rows()) : 0;
}

std::vector<std::uint8_t> decide(const LabelSetPredictions& predictions, std::span<const double> thresholds) {
  std::vector<std::uint8_t> answered;
  for (std::size_t i = 0; i < predictions.targets.size(); ++i)
    answered.push_back(predictions.probabilities[i] >= thresholds[i % predictions.classes] ? 1 : 0);
  return answered;
}

MultiLabelFigures figures_of(const LabelSetPredictions& predictions, std::span<const std::uint8_t> answered) {
  MultiLabelFigures figures;
  if (predictions.rows() == 0) return figures;
  const auto rows = static_cast<std::int64_t>(predictions.rows());
  Tally all;
  int present = 0;
  for (const Tally& tally : tallies_of(predictions, answered)) {
    all = {all.there + tally.there, all.answered + tally.answered, all.both + tally.both};
    if (tally.there == 0) continue;
    figures.macro_f1 += tally.f1();
    figures.chance += Tally::share(tally.there, rows);
    ++present;
  }
  figures.macro_f1 /= std::max(1, present);
  figures.chance /= std::max(1, present);
  figures.micro_f1 = all.f1();
  figures.mean_average_precision = mean_average_precision(predictions);
  figures.interval = mean_average_precision_interval(predictions);
  const std::size_t classes = predictions.classes;
  std::int64_t exact = 0;
  for (std::size_t begin = 0; begin < answered.size(); begin += classes)
    exact += std::ranges::equal(answered.subspan(begin, classes), predictions.targets.subspan(begin, classes)) ? 1 : 0;
  figures.exact_match = Tally::share(exact, rows);
  return figures;
}

Evaluation evaluation_of(const LabelSetPredictions& predictions, std::span<const std::uint8_t> answered,
                         std::span<const double> thresholds, std::span<const std::string> names) {
  Evaluation result;
  result.photos = static_cast<std::int64_t>(predictions.rows());
  result.multi_label = figures_of(predictions, answered);
  result.accuracy = result.multi_label->exact_match;
  result.interval = interval_of(result.accuracy, result.photos);
  result.log_loss = log_loss(predictions);
  result.calibration_error = calibration_error(predictions);
  result.macro_f1 = result.multi_label->macro_f1;
  const std::vector<Tally> tallies = tallies_of(predictions, answered);
  int present = 0;
  for (std::size_t k = 0; k < names.size(); ++k) {
    const Tally& tally = tallies[k];
    ClassMetrics metrics{names[k], tally.there, Tally::share(tally.both, tally.answered), Tally::share(tally.both, tally.there),
                         tally.f1()};
    metrics.average_precision = average_precision(predictions, k);
    metrics.threshold = thresholds[k];
    present += tally.there > 0 ? 1 : 0;
    result.balanced_accuracy += metrics.recall;
    result.classes.push_back(std::move(metrics));
  }
  result.balanced_accuracy /= std::max(1, present);
  return result;
}

std::vector<WrongPhoto> wrong_photos(const LabelSetPredictions& predictions, std::span<const std::uint8_t> answered,
                                     std::span<const std::int32_t> index, std::span<const Sample> samples,
                                     std::span<const std::string> names) {
  const std::size_t classes = predictions.classes;
  std::vector<WrongPhoto> wrong;
  for (std::size_t n = 0; n < index.size(); ++n) {
    const auto truth = predictions.targets.subspan(n * classes, classes);
    const auto answer = answered.subspan(n * classes, classes);
    WrongPhoto photo{samples[static_cast<std::size_t>(index[n])].path, joined(truth, names), joined(answer, names), 0, {}};
    for (std::size_t k = 0; k < classes; ++k) {
      if ((truth[k] != 0) == (answer[k] != 0)) continue;
      const double p = predictions.probabilities[n * classes + k];
      const double sure = answer[k] != 0 ? p : 1 - p;
      if (!photo.about.empty() && sure <= photo.probability) continue;
      photo.about = names[k];
      photo.probability = sure;
    }
    if (!photo.about.empty()) wrong.push_back(std::move(photo));
  }
  std::ranges::stable_sort(wrong, std::greater(), &WrongPhoto::probability);
  return wrong;
}

}  // namespace fovea::training
