// Fovea: what a frozen network says of many photos.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "core/context.h"
#include "model/network_runner.h"

namespace fovea::training {

/// Rows of numbers, one per photo.
struct Table {
  std::int64_t width = 0;
  std::vector<float> values;  ///< (rows, width)
  void append(const Table& other) {
    width = std::max(width, other.width);
    values.insert(values.end(), other.values.begin(), other.values.end());
  }
  [[nodiscard]] std::int64_t rows() const { return width == 0 ? 0 : static_cast<std::int64_t>(values.size()) / width; }
  [[nodiscard]] std::span<const float> row(std::int64_t n) const {
    return std::span(values).subspan(static_cast<std::size_t>(n * width), static_cast<std::size_t>(width));
  }
};

/// A NetworkRunner for every thread of the context: a thread takes its photos through the whole network, so that nobody waits for
/// anybody and activations stay in that processor's caches. The bits of a row do not depend on its lane.
class Inference {
 public:
  /// `output` as in build_network ("features", "logits", "stage/7"); with `also_features`, the same run gives "features" too.
  /// `parameters` must outlive this.
  static Result<Inference> create(const Context& context, const Backend& backend, const NetworkSpec& spec,
                                  ParameterSet& parameters, std::string output, bool also_features = false);

  /// Must follow every change of the parameters.
  void refresh() { lanes_.front().refresh(); }

  [[nodiscard]] int lanes() const { return static_cast<int>(lanes_.size()); }
  /// Lanes may run side by side, each by one thread.
  [[nodiscard]] NetworkRunner& lane(int index) { return lanes_[static_cast<std::size_t>(index)]; }
  /// Memory, without the parameters.
  [[nodiscard]] std::size_t bytes() const { return lanes_.front().shared_bytes() + lanes_.size() * lanes_.front().own_bytes(); }
  [[nodiscard]] const std::string& output() const { return output_; }
  [[nodiscard]] bool also_features() const { return also_features_; }

 private:
  Inference(std::string output, bool also_features) : output_(std::move(output)), also_features_(also_features) {}

  std::string output_;
  bool also_features_;
  std::vector<NetworkRunner> lanes_;
};

}  // namespace fovea::training
