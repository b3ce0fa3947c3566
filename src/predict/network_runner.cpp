// SPDX-License-Identifier: Apache-2.0
#include "predict/network_runner.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "model/inference_graph.h"

namespace fovea {

Result<NetworkRunner> NetworkRunner::create(const Context& context, const Backend& backend, Model& model, int batch) {
  FOVEA_ASSIGN(graph::Graph graph, inference_graph(model.spec, batch, "logits"));
  const std::size_t pixels = static_cast<std::size_t>(graph.shape(*graph.find("image")).elements());
  FOVEA_ASSIGN(auto plan, Plan::make(context, std::move(graph), backend, {.constant_weights = true}));
  auto executor = std::make_unique<Executor>(std::move(plan));
  Buffer images(pixels * sizeof(float));
  model.parameters.bind_to(*executor);
  executor->bind("image", images.floats().data());
  executor->prepare_weights();
  return NetworkRunner(batch, std::move(executor), std::move(images));
}

std::span<float> NetworkRunner::input(int index) {
  const std::size_t size = images_.floats().size() / static_cast<std::size_t>(batch_);
  return images_.floats().subspan(static_cast<std::size_t>(index) * size, size);
}

std::span<const float> NetworkRunner::logits(int index) const {
  const std::span<float> all = executor_->output("logits").floats();
  const std::size_t size = all.size() / static_cast<std::size_t>(batch_);
  return all.subspan(static_cast<std::size_t>(index) * size, size);
}

std::vector<double> probabilities_of(std::span<const float> logits, double temperature) {
  const double largest = *std::ranges::max_element(logits);
  std::vector<double> probabilities;
  probabilities.reserve(logits.size());
  double sum = 0;
  for (const float logit : logits) {
    probabilities.push_back(std::exp((logit - largest) / temperature));
    sum += probabilities.back();
  }
  for (double& probability : probabilities) probability /= sum;
  return probabilities;
}

}  // namespace fovea
