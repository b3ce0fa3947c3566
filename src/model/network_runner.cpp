// SPDX-License-Identifier: Apache-2.0
#include "model/network_runner.h"

#include "core/error.h"
#include "model/inference_graph.h"

namespace fovea {

Result<NetworkRunner> NetworkRunner::create(const Context& context, const Backend& backend, const NetworkSpec& spec,
                                            ParameterSet& parameters, int batch, std::span<const std::string_view> outputs,
                                            const NetworkRunner* twin) {
  FOVEA_ASSIGN(graph::Graph graph, inference_graph(spec, batch, outputs));
  Buffer images(static_cast<std::size_t>(graph.shape(*graph.find("image")).elements()) * sizeof(float));
  FOVEA_ASSIGN(auto plan, Plan::make(context, std::move(graph), backend, {.constant_weights = true}));
  auto executor = twin != nullptr ? std::make_unique<Executor>(std::move(plan), *twin->executor_)
                                  : std::make_unique<Executor>(std::move(plan));
  if (twin == nullptr) parameters.bind_to(*executor);
  executor->bind("image", images.floats().data());
  if (twin == nullptr) executor->prepare_weights();
  return NetworkRunner(batch, std::move(executor), std::move(images));
}

std::span<float> NetworkRunner::input(int index) {
  const std::size_t size = images_.floats().size() / static_cast<std::size_t>(batch_);
  return images_.floats().subspan(static_cast<std::size_t>(index) * size, size);
}

std::span<const float> NetworkRunner::rows(std::string_view output, int photos) const {
  const std::span<const float> all = executor_->output(output).floats();
  return all.first(all.size() / static_cast<std::size_t>(batch_) * static_cast<std::size_t>(photos));
}

std::span<const float> NetworkRunner::row(std::string_view output, int index) const {
  const std::span<const float> upto = rows(output, index + 1);
  return upto.last(upto.size() / static_cast<std::size_t>(index + 1));
}

}  // namespace fovea
