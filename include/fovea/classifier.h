// Fovea: a trained model at work on photos.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fovea/result.h"
#include "fovea/yuv_frame.h"

namespace fovea {

struct Prediction {
  std::string label;
  double probability = 0.0;
};

/// What a photo shows.
struct Answer {
  std::vector<Prediction> predictions;  ///< every class, the most probable first; never empty
  /// Of a model for photos with any number of labels: the classes that the photo shows, those at or above their thresholds, the
  /// most probable first; possibly none. The probabilities are then independent of each other and do not sum to 1.
  std::vector<Prediction> labels;
  /// The photo is probably of none of the classes. Always false for a model without rejection statistics.
  bool rejected = false;

  [[nodiscard]] const Prediction& top() const { return predictions.front(); }
};

struct ClassifierOptions {
  std::string device = "auto";  ///< "auto", "cpu", "cuda", "cuda:N"; one that cannot be used is an error
  int threads = 0;              ///< 0: every processor that this process may use
  bool deterministic = false;   ///< the same bits whatever the number of threads
  /// Time ways to part the work on this machine and keep the fastest: under a second once for each network, for who classifies
  /// many photos. What was found before is used either way, and answers are the same bits. FOVEA_TUNE=off turns both off.
  bool tune = false;
};

/// A model opened for use: photos in, classes and probabilities out, with the preprocessing that belongs to the model.
/// One thread at a time; several classifiers may run side by side.
class Classifier {
 public:
  /// A model made by train(), or a classification checkpoint of Ultralytics (`.pt`).
  static Result<Classifier> open(const std::filesystem::path& model, const ClassifierOptions& options = {});
  Classifier(Classifier&& other) noexcept;
  Classifier& operator=(Classifier&& other) noexcept;
  ~Classifier();

  Result<Answer> classify_file(const std::filesystem::path& photo);
  /// The same, and writes `picture` (".png", ".jpg" or ".jpeg"): the photo as it is with a map laid over it of where the network
  /// looked for the top class (Grad-CAM: R. Selvaraju et al., ICCV 2017), light where most, dark where the network does not see.
  /// kUsage for another extension, or if `picture` is the photo itself.
  Result<Answer> explain_file(const std::filesystem::path& photo, const std::filesystem::path& picture);
  /// `photo`: the bytes of a JPEG, PNG, WebP, ... file.
  Result<Answer> classify(std::span<const std::byte> photo);
  /// Pixels that are decoded already: `rgb` (height, width, 3), upright, without gaps. kUsage for another number of bytes.
  Result<Answer> classify_pixels(std::span<const std::uint8_t> rgb, int width, int height);
  /// A frame of a video or a camera, upright: several times as fast as making RGB of it first, with the same answer but for
  /// rounding. kUsage for a size below 1 or a plane that is missing.
  Result<Answer> classify_frame(const YuvFrame& frame);

  /// Called with each photo's position and answer, in order, by one thread at a time. Returning false stops.
  using OnAnswer = std::function<bool(std::size_t index, const Result<Answer>& answer)>;
  /// Many photos, on all threads, each of which takes photos of its own from file to answer. A photo that cannot be read does
  /// not stop the others.
  void classify_files(std::span<const std::filesystem::path> photos, const OnAnswer& on_answer);

  /// Called with a photo's position, on any of the threads: its bytes, or why there are none.
  using Read = std::function<Result<std::vector<std::byte>>(std::size_t index)>;
  /// The same for `count` photos that the caller reads.
  void classify_each(std::size_t count, const Read& read, const OnAnswer& on_answer);

  /// Class names in the order of the network's outputs.
  [[nodiscard]] const std::vector<std::string>& classes() const;
  /// Whether answers are `labels` rather than one class.
  [[nodiscard]] bool multi_label() const;
  /// The device that computes, and why: "cpu (2 processors; no GPU: ...)".
  [[nodiscard]] const std::string& device() const;

 private:
  class Impl;
  explicit Classifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fovea
