// SPDX-License-Identifier: Apache-2.0
#include "timed_backend.h"

#include <utility>

#include "core/error.h"
#include "meter.h"

namespace fovea::bench {
namespace {

class TimedKernel final : public Kernel {
 public:
  TimedKernel(std::unique_ptr<Kernel> kernel, std::shared_ptr<KernelTime> time)
      : kernel_(std::move(kernel)), time_(std::move(time)) {}

  void run(const Arguments& arguments) const override {
    const double begin = now();
    kernel_->run(arguments);
    time_->run_seconds += now() - begin;
    ++time_->runs;
  }
  void pack(const Arguments& arguments) const override {
    const double begin = now();
    kernel_->pack(arguments);
    time_->pack_seconds += now() - begin;
  }
  [[nodiscard]] std::size_t packed_bytes() const override { return kernel_->packed_bytes(); }
  [[nodiscard]] std::size_t scratch_bytes() const override { return kernel_->scratch_bytes(); }
  [[nodiscard]] std::optional<std::size_t> reusable_input() const override { return kernel_->reusable_input(); }
  [[nodiscard]] std::string_view name() const override { return kernel_->name(); }

 private:
  std::unique_ptr<Kernel> kernel_;
  std::shared_ptr<KernelTime> time_;
};

std::string shapes_of(const graph::Graph& graph, const graph::Node& node) {
  std::string text;
  for (const graph::ValueId id : node.inputs) text += fmt::format("{} ", to_string(graph.shape(id)));
  return fmt::format("{}-> {}", text, to_string(graph.shape(node.outputs.front())));
}

}  // namespace

Result<std::unique_ptr<Kernel>> TimedBackend::prepare(const Context& context, const graph::Graph& graph, const graph::Node& node,
                                                      bool constant_weights) const {
  FOVEA_ASSIGN(auto kernel, backend_->prepare(context, graph, node, constant_weights));
  auto time = std::make_shared<KernelTime>();
  time->op = graph::name_of(node.op);
  time->kernel = kernel->name();
  time->shape = shapes_of(graph, node);
  time->flops = graph::flops(graph, node);
  times_.push_back(time);
  return std::unique_ptr<Kernel>(std::make_unique<TimedKernel>(std::move(kernel), std::move(time)));
}

void TimedBackend::reset() {
  for (const auto& time : times_) {
    time->run_seconds = time->pack_seconds = 0;
    time->runs = 0;
  }
}

}  // namespace fovea::bench
