// SPDX-License-Identifier: Apache-2.0
#include "golden/network_runner.h"

#include <algorithm>

#include "backend/loss_scale.h"
#include "core/error.h"
#include "cuda_host/host_backend.h"
#include "graph/autodiff.h"
#include "train/precision.h"

namespace fovea::test {
namespace {

Result<graph::Graph> compile(const GoldenCase& golden, Use use, graph::LiveBlocks live_blocks,
                             const graph::Precisions& precisions) {
  const NormMode norm = use == Use::kLiveTraining ? NormMode::kLive : NormMode::kFrozen;
  const bool training = use != Use::kInference;
  FOVEA_ASSIGN(const graph::Graph built, build_network(golden.spec, {.batch = golden.batch, .norm = norm, .loss = training}));
  if (!training) return graph::compile_for_use(built);
  return graph::compile_for_training(built, precisions, live_blocks, [](std::string_view) { return true; });
}

}  // namespace

Result<std::unique_ptr<NetworkRunner>> NetworkRunner::make(const GoldenCase& golden, std::string_view backend_name, Use use,
                                                           std::optional<graph::LiveBlocks> live_blocks,
                                                           graph::Precision precision) {
  FOVEA_ASSIGN(const graph::Graph whole, build_network(golden.spec));
  FOVEA_ASSIGN(const auto backend, make_any_backend(backend_name));
  FOVEA_ASSIGN(graph::Graph graph, compile(golden, use, live_blocks.value_or(training::live_blocks_of(*backend)),
                                           training::precisions_of(precision, *backend)));
  std::unique_ptr<NetworkRunner> runner(new NetworkRunner);
  runner->parameters_ = ParameterSet(whole);
  runner->set_values(golden, use != Use::kLiveTraining);
  PlanOptions options{.constant_weights = use == Use::kInference, .bound_outputs = {}};
  if (use != Use::kInference) {
    runner->parameters_.allocate_gradients();
    for (const std::string& name : golden.parameters) options.bound_outputs.push_back(graph::gradient_name(name));
  }
  FOVEA_ASSIGN(auto plan, Plan::make({}, std::move(graph), *backend, options));
  runner->executor_ = std::make_unique<Executor>(std::move(plan));
  runner->image_ = golden.image;
  runner->targets_ = golden.targets;
  runner->weights_ = golden.weights;
  if (precision == graph::Precision::kFP16) runner->loss_scale_ = LossScale().scale;
  for (float& weight : runner->weights_) weight *= runner->loss_scale_;
  runner->executor_->bind("image", runner->image_.data());
  runner->executor_->bind("targets", runner->targets_.data());
  runner->executor_->bind("weights", runner->weights_.data());
  runner->parameters_.bind_to(*runner->executor_);
  if (use == Use::kInference) runner->executor_->prepare_weights();
  return runner;
}

void NetworkRunner::set_values(const GoldenCase& golden, bool stored_states) {
  for (const ParameterSet::Entry& entry : parameters_.entries()) {
    std::ranges::copy(initial_value(entry.name, entry.shape), parameters_.values(entry).begin());
  }
  if (!stored_states) return;
  auto next = golden.stored_states.begin();
  for (const std::string& name : golden.states) {
    const std::span<float> values = parameters_.values(*parameters_.find(name));
    std::copy_n(next, values.size(), values.begin());
    next += static_cast<std::ptrdiff_t>(values.size());
  }
}

void NetworkRunner::run() {
  executor_->run();
  if (loss_scale_ == 1) return;
  for (float& gradient : parameters_.gradients()) gradient /= loss_scale_;
}

std::span<const float> NetworkRunner::gradient(std::string_view parameter) {
  return parameters_.gradient(*parameters_.find(parameter));
}

std::span<const float> NetworkRunner::value(std::string_view name) { return parameters_.values(*parameters_.find(name)); }

void NetworkRunner::step(double rate, double momentum) {
  const std::span<float> values = parameters_.parameters();
  const std::span<float> gradients = parameters_.gradients();
  velocity_.resize(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    velocity_[i] = static_cast<float>(momentum) * velocity_[i] + gradients[i];
    values[i] -= static_cast<float>(rate) * velocity_[i];
  }
}

}  // namespace fovea::test
