// Fovea: what a frozen network says of many photos.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "core/context.h"
#include "data/loader.h"
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

/// A NetworkRunner over any number of photos.
class Inference {
 public:
  /// `output` as in build_network ("features", "logits", "stage/7"); with `also_features`, the same run gives "features" too.
  /// `parameters` must outlive this.
  static Result<Inference> create(const Context& context, const Backend& backend, const NetworkSpec& spec,
                                  ParameterSet& parameters, std::string output, bool also_features = false);

  /// Must follow every change of the parameters.
  void refresh() { network_.refresh(); }

  /// Appends a row for each photo to `table`, and to `features` where this computes them as well. `on_batch` is told how many
  /// photos each batch had; false from it ends early (kCancelled).
  using OnBatch = std::function<bool(std::int64_t photos)>;
  Result<void> run(const FittedPhotos& photos, const Preprocess& preprocess, Table& table, Table& features,
                   const OnBatch& on_batch = {});

 private:
  Inference(const Context& context, NetworkRunner network, std::string output, bool also_features)
      : context_(context), network_(std::move(network)), output_(std::move(output)), also_features_(also_features) {}

  Context context_;
  NetworkRunner network_;
  std::string output_;
  bool also_features_;
};

}  // namespace fovea::training
