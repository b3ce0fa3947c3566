// Fovea: a model ready to compute logits for a fixed number of photos at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "core/buffer.h"
#include "core/context.h"
#include "model/model_file.h"
#include "runtime/executor.h"

namespace fovea {

/// The network with BatchNorm folded and activations fused. `model` must outlive it.
class NetworkRunner {
 public:
  static Result<NetworkRunner> create(const Context& context, const Backend& backend, Model& model, int batch);

  [[nodiscard]] int batch() const { return batch_; }
  /// Where photo `index` goes: floats (height, width, 3), normalised.
  [[nodiscard]] std::span<float> input(int index);
  void run() { executor_->run(); }
  /// Logits (classes) of photo `index`, until the next run.
  [[nodiscard]] std::span<const float> logits(int index) const;

 private:
  NetworkRunner(int batch, std::unique_ptr<Executor> executor, Buffer images)
      : batch_(batch), executor_(std::move(executor)), images_(std::move(images)) {}

  int batch_;
  std::unique_ptr<Executor> executor_;
  Buffer images_;
};

/// softmax(logits / temperature), computed in double.
[[nodiscard]] std::vector<double> probabilities_of(std::span<const float> logits, double temperature);

}  // namespace fovea
