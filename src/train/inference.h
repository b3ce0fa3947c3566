// Fovea: one output of a frozen network, for many photos.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "core/buffer.h"
#include "core/context.h"
#include "data/loader.h"
#include "model/network.h"
#include "runtime/executor.h"
#include "runtime/parameters.h"

namespace fovea::training {

/// Rows of numbers, one per photo.
struct Table {
  std::int64_t width = 0;
  std::vector<float> values;  ///< (rows, width)
  [[nodiscard]] std::int64_t rows() const { return width == 0 ? 0 : static_cast<std::int64_t>(values.size()) / width; }
  [[nodiscard]] std::span<const float> row(std::int64_t n) const {
    return std::span(values).subspan(static_cast<std::size_t>(n * width), static_cast<std::size_t>(width));
  }
};

/// The network with stored statistics, BatchNorm folded, up to a named output of build_network ("features", "logits", "stage/7").
class Inference {
 public:
  /// `parameters` must outlive this.
  static Result<Inference> create(const Context& context, const Backend& backend, const NetworkSpec& spec,
                                  ParameterSet& parameters, std::string output);

  /// Must follow every change of the parameters.
  void refresh() { executor_->prepare_weights(); }

  /// Appends a row for each photo. `on_batch` is told how many photos each batch had; false from it ends early (kCancelled).
  using OnBatch = std::function<bool(std::int64_t photos)>;
  Result<void> run(const FittedPhotos& photos, const Preprocess& preprocess, Table& table, const OnBatch& on_batch = {});

  [[nodiscard]] const Shape& output_shape() const { return shape_; }  ///< of a batch

 private:
  Inference(const Context& context, std::unique_ptr<Executor> executor, std::string output, Shape shape, Buffer images)
      : context_(context),
        executor_(std::move(executor)),
        output_(std::move(output)),
        shape_(shape),
        images_(std::move(images)) {}

  Context context_;
  std::unique_ptr<Executor> executor_;
  std::string output_;
  Shape shape_;
  Buffer images_;
};

}  // namespace fovea::training
