// Fovea: labelled photos whose fitted pixels go through a network again and again.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "data/dataset.h"
#include "data/similar.h"
#include "data/source.h"
#include "image/preprocess.h"
#include "train/inference.h"
#include "train/reporter.h"

namespace fovea::training {

/// What a network said of some photos, and what they are.
struct LabelledTable {
  Table table;
  Table features;                    ///< where the inference gives them beside its output
  std::vector<std::int32_t> labels;  ///< per row; -1 for a photo without
  std::vector<std::int32_t> index;   ///< per row: position in the list of samples
  /// Per row, where asked for: what a photo looks like, to recognise it again.
  std::vector<std::optional<Fingerprint>> fingerprints;
  void append(LabelledTable other);
};

/// How many photos of so many fitted bytes are kept in memory, at most.
[[nodiscard]] std::int64_t most_kept_photos(std::int64_t bytes);

/// Samples of one label each. Every thread decodes, fits and computes photos of its own, one after the other.
class PhotoRows {
 public:
  /// `samples` must outlive this.
  PhotoRows(const Context& context, std::span<const Sample> samples, const Preprocess& preprocess, bool strict)
      : context_(context), samples_(samples), preprocess_(preprocess), strict_(strict), kept_(samples.size()) {}

  /// One row for each readable photo, in order. Unreadable ones are reported. Fitted pixels are kept for the next time, as far as
  /// they fit into memory.
  Result<LabelledTable> run(Inference& inference, Reporter& reporter);

  /// The same, keeping nothing.
  Result<LabelledTable> run_once(Inference& inference, Reporter& reporter) const;
  /// The same for the samples at these positions, keeping nothing, with fingerprints. Pixels come from `source`, or are decoded
  /// if it is null.
  Result<LabelledTable> run_some(Inference& inference, std::span<const std::int32_t> positions, Reporter& reporter,
                                 PhotoSource* source = nullptr) const;

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(samples_.size()); }
  [[nodiscard]] const Preprocess& preprocess() const { return preprocess_; }

 private:
  class Computation;

  Context context_;
  std::span<const Sample> samples_;
  Preprocess preprocess_;
  bool strict_;
  std::vector<std::vector<std::uint8_t>> kept_;  ///< per sample: its fitted pixels, or none
};

}  // namespace fovea::training
