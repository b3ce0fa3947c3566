// Fovea: a network ready to compute some of its outputs for a fixed number of photos at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "core/buffer.h"
#include "core/context.h"
#include "model/network.h"
#include "runtime/executor.h"
#include "runtime/parameters.h"

namespace fovea {

/// The network with stored statistics, BatchNorm folded and activations fused, up to named outputs of build_network ("logits",
/// "features", "stage/7"): one run computes them all.
class NetworkRunner {
 public:
  /// `parameters` must outlive it. With a `twin`, made of the same arguments on a backend of the same kind, prepared weights are
  /// the twin's, who alone refreshes them; the two may then run side by side.
  static Result<NetworkRunner> create(const Context& context, const Backend& backend, const NetworkSpec& spec,
                                      ParameterSet& parameters, int batch, std::span<const std::string_view> outputs,
                                      const NetworkRunner* twin = nullptr);

  [[nodiscard]] int batch() const { return batch_; }
  /// Where photo `index` goes: floats (height, width, 3), normalised.
  [[nodiscard]] std::span<float> input(int index);
  /// Must follow every change of the parameters.
  void refresh() { executor_->prepare_weights(); }
  /// Ends when everything is computed.
  void run() {
    executor_->run();
    executor_->wait();
  }
  /// Memory of its own, and what it shares with its twins.
  [[nodiscard]] std::size_t own_bytes() const { return executor_->plan().arena_bytes() + images_.size(); }
  [[nodiscard]] std::size_t shared_bytes() const { return executor_->plan().persistent_bytes(); }
  /// Of a batch.
  [[nodiscard]] Shape shape(std::string_view output) const { return executor_->output(output).shape; }
  /// What the last run made of the first `photos` photos: (photos, numbers of the output per photo).
  [[nodiscard]] std::span<const float> rows(std::string_view output, int photos) const;
  /// The same of photo `index` alone.
  [[nodiscard]] std::span<const float> row(std::string_view output, int index) const;

 private:
  NetworkRunner(int batch, std::unique_ptr<Executor> executor, Buffer images)
      : batch_(batch), executor_(std::move(executor)), images_(std::move(images)) {}

  int batch_;
  std::unique_ptr<Executor> executor_;
  Buffer images_;
};

}  // namespace fovea
