// SPDX-License-Identifier: Apache-2.0
#include "train/report_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "core/parallel.h"
#include "fovea/version.h"
#include "hardware/processor.h"
#include "image/decode.h"
#include "image/encode.h"
#include "predict/heat_map.h"
#include "runtime/device.h"
#include "train/calibration.h"
#include "train/label_calibration.h"

namespace fovea::training {
namespace {

constexpr std::size_t kMostMistakes = 30;
constexpr int kThumbnailSide = 240;
constexpr int kThumbnailQuality = 72;

Image thumbnail(const Image& photo) {
  const double scale = std::min(1.0, static_cast<double>(kThumbnailSide) / std::max(photo.width, photo.height));
  const auto side = [&](int pixels) { return std::max(1, static_cast<int>(std::lround(pixels * scale))); };
  return resize(photo, side(photo.width), side(photo.height), Filter::kBilinear);
}

/// Collects probabilities and whether they came true.
class Binning {
 public:
  void add(double probability, bool right) {
    auto& bin = bins_[static_cast<std::size_t>(std::clamp(static_cast<int>(probability * kBins), 0, kBins - 1))];
    ++bin.photos;
    bin.probability += probability;
    bin.accuracy += right ? 1 : 0;
  }
  [[nodiscard]] std::vector<report::ReliabilityBin> finish() {
    for (auto& bin : bins_) {
      const double photos = static_cast<double>(std::max<std::int64_t>(bin.photos, 1));
      bin.probability /= photos;
      bin.accuracy /= photos;
    }
    return std::move(bins_);
  }

 private:
  static constexpr int kBins = 15;
  std::vector<report::ReliabilityBin> bins_ = std::vector<report::ReliabilityBin>(kBins);
};

report::Calibration calibration_of(const Model& model, const LabelledTable& logits) {
  report::Calibration calibration;
  calibration.after = reliability_bins(logits, model.calibration);
  if (model.calibration != Calibration{}) {
    calibration.before = reliability_bins(logits, Calibration{});
    const std::vector<float> raw = probabilities_of(logits.table, Calibration{});
    calibration.error_before = calibration_error(Predictions{raw, logits.labels});
  }
  return calibration;
}

report::Calibration label_calibration_of(const Model& model, const LabelledTable& logits, std::span<const Sample> samples) {
  const std::vector<std::uint8_t> targets = targets_of(logits.index, samples, model.spec.classes);
  const std::vector<float> as_answered = label_probabilities(logits.table, model.calibration.temperature);
  const std::vector<float> raw = label_probabilities(logits.table, 1);
  const LabelSetPredictions before{raw, targets, model.classes.size()};
  report::Calibration calibration;
  calibration.after = reliability_bins({as_answered, targets, model.classes.size()});
  if (model.calibration.temperature != 1) {
    calibration.before = reliability_bins(before);
    calibration.error_before = calibration_error(before);
  }
  return calibration;
}

std::string bytes_text(std::uintmax_t bytes) {
  return bytes == 0 ? "?" : fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

}  // namespace

std::vector<WrongPhoto> wrong_photos(const Predictions& predictions, std::span<const std::int32_t> index,
                                     std::span<const Sample> samples, std::span<const std::string> classes) {
  std::vector<WrongPhoto> wrong;
  for (std::size_t n = 0; n < predictions.labels.size(); ++n) {
    const auto row = predictions.row(n);
    const std::size_t guess = argmax(row);
    const auto label = static_cast<std::size_t>(predictions.labels[n]);
    if (guess == label) continue;
    wrong.push_back(
        {samples[static_cast<std::size_t>(index[n])].path, classes[label], classes[guess], row[guess], classes[guess]});
  }
  std::ranges::stable_sort(wrong, std::greater(), &WrongPhoto::probability);
  return wrong;
}

std::vector<report::ReliabilityBin> reliability_bins(const LabelledTable& logits, const Calibration& calibration) {
  const std::vector<float> probabilities = probabilities_of(logits.table, calibration);
  const Predictions predictions{probabilities, logits.labels};
  Binning binning;
  for (std::size_t n = 0; n < logits.labels.size(); ++n) {
    const auto row = predictions.row(n);
    const std::size_t guess = argmax(row);
    binning.add(row[guess], guess == static_cast<std::size_t>(logits.labels[n]));
  }
  return binning.finish();
}

std::vector<report::ReliabilityBin> reliability_bins(const LabelSetPredictions& predictions) {
  Binning binning;
  for (std::size_t i = 0; i < predictions.targets.size(); ++i)
    binning.add(predictions.probabilities[i], predictions.targets[i] != 0);
  return binning.finish();
}

Result<std::vector<report::Mistake>> picture_mistakes(const Context& context, const Backend& backend, Model& model,
                                                      std::span<const WrongPhoto> wrong, std::size_t most) {
  wrong = wrong.first(std::min(wrong.size(), most));
  std::vector<report::Mistake> mistakes;
  if (wrong.empty()) return mistakes;
  const int side = std::max(shorter_side_needed(model.preprocess), kThumbnailSide);
  std::vector<std::optional<Image>> photos(wrong.size());
  parallel_for(context, static_cast<std::int64_t>(wrong.size()), [&](std::int64_t i) {
    auto photo = load_image(wrong[static_cast<std::size_t>(i)].path, {.shorter_side_needed = side});
    if (photo) photos[static_cast<std::size_t>(i)] = std::move(*photo);
  });
  FOVEA_ASSIGN(HeatMapper mapper, HeatMapper::create(context, backend, model));
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    if (!photos[i]) continue;
    const auto guess = std::ranges::find(model.classes, wrong[i].about) - model.classes.begin();
    const HeatMap map = mapper.map(*photos[i], static_cast<std::size_t>(guess));
    const Image small = thumbnail(*photos[i]);
    mistakes.push_back({wrong[i].path.string(), wrong[i].label, wrong[i].predicted, wrong[i].probability,
                        encode_jpeg(small, kThumbnailQuality),
                        encode_jpeg(lay_over(small, map, model.preprocess), kThumbnailQuality),
                        model.multi_label() ? wrong[i].about : std::string()});
    photos[i].reset();
  }
  return mistakes;
}

report::Input model_facts(const Context& context, const Device& device, const Model& model, const std::filesystem::path& path) {
  report::Input input;
  input.title = path.stem().string();
  std::error_code unknown;
  const std::uintmax_t bytes = std::filesystem::file_size(path, unknown);
  const Preprocess& p = model.preprocess;
  input.model = {{"Network", model.architecture},
                 {"Input", fmt::format("{} x {}, {}", p.width, p.height, name_of(p.fit))},
                 {"Model file", bytes_text(unknown ? 0 : bytes)}};
  input.hardware = {{"Device", fmt::format("{} ({})", device.name, device.reason)}};
  if (const std::string name = hardware::processor_name(hardware::this_system()); !name.empty())
    input.hardware.push_back({"Processor", name});
  input.hardware.push_back({"Threads", std::to_string(context.threads)});
  for (const auto& [key, value] : model.provenance) input.provenance.push_back({key, value});
  input.provenance.push_back({"Fovea", std::string(version())});
  return input;
}

Result<report::Input> report_input(const Context& context, const Device& device, Model& model, const std::filesystem::path& path,
                                   const LabelledTable& logits, std::span<const Sample> samples, Evaluation evaluation) {
  report::Input input = model_facts(context, device, model, path);
  FOVEA_ASSIGN(input.mistakes, picture_mistakes(context, *device.backend, model, evaluation.wrong, kMostMistakes));
  auto calibration = model.multi_label() ? label_calibration_of(model, logits, samples) : calibration_of(model, logits);
  calibration.error_after = evaluation.calibration_error;
  input.calibration = std::move(calibration);
  input.evaluation = std::move(evaluation);
  return input;
}

}  // namespace fovea::training
