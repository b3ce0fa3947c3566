// Fovea: a backend that times the kernels of another.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"

namespace fovea::bench {

/// What the kernels of one kind took: "DepthwiseConv2d avx3/depthwise 3x3/1 at 112".
struct KernelTime {
  std::string op;
  std::string kernel;
  std::string shape;
  double run_seconds = 0;
  double pack_seconds = 0;
  double flops = 0;  ///< of one run
  int runs = 0;
};

class TimedBackend final : public Backend {
 public:
  explicit TimedBackend(std::unique_ptr<Backend> backend) : backend_(std::move(backend)) {}

  [[nodiscard]] std::string_view name() const override { return backend_->name(); }
  [[nodiscard]] bool supports(const graph::Graph& graph, const graph::Node& node) const override {
    return backend_->supports(graph, node);
  }
  Result<std::unique_ptr<Kernel>> prepare(const Context& context, const graph::Graph& graph, const graph::Node& node,
                                          bool constant_weights) const override;

  /// One entry a node, in the order of preparation.
  [[nodiscard]] const std::vector<std::shared_ptr<KernelTime>>& times() const { return times_; }
  void reset();

 private:
  std::unique_ptr<Backend> backend_;
  mutable std::vector<std::shared_ptr<KernelTime>> times_;
};

}  // namespace fovea::bench
