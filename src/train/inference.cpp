// SPDX-License-Identifier: Apache-2.0
#include "train/inference.h"

#include <algorithm>

#include "core/error.h"
#include "core/parallel.h"
#include "model/inference_graph.h"

namespace fovea::training {
namespace {

/// Photos computed together: enough for every thread, few enough that activations stay in the caches.
constexpr int kBatch = 8;

}  // namespace

Result<Inference> Inference::create(const Context& context, const Backend& backend, const NetworkSpec& spec,
                                    ParameterSet& parameters, std::string output) {
  FOVEA_ASSIGN(graph::Graph graph, inference_graph(spec, kBatch, output));
  const Shape shape = graph.shape(*graph.output(output));
  Buffer images(static_cast<std::size_t>(graph.shape(*graph.find("image")).elements()) * sizeof(float));
  FOVEA_ASSIGN(auto plan, Plan::make(context, std::move(graph), backend, {.constant_weights = true}));
  auto executor = std::make_unique<Executor>(std::move(plan));
  parameters.bind_to(*executor);
  executor->bind("image", images.floats().data());
  executor->prepare_weights();
  return Inference(context, std::move(executor), std::move(output), shape, std::move(images));
}

Result<void> Inference::run(const FittedPhotos& photos, const Preprocess& preprocess, Table& table, const OnBatch& on_batch) {
  const std::size_t pixels = images_.floats().size() / kBatch;
  table.width = shape_.elements() / kBatch;
  for (std::size_t first = 0; first < photos.count(); first += kBatch) {
    const std::size_t count = std::min<std::size_t>(kBatch, photos.count() - first);
    parallel_for(context_, static_cast<std::int64_t>(count), [&](std::int64_t i) {
      const auto row = static_cast<std::size_t>(i);
      normalize(photos.photo(first + row), preprocess, images_.floats().subspan(row * pixels, pixels));
    });
    executor_->run();
    const auto rows = executor_->output(output_).floats().first(count * static_cast<std::size_t>(table.width));
    table.values.insert(table.values.end(), rows.begin(), rows.end());
    const bool wanted = !on_batch || on_batch(static_cast<std::int64_t>(count));
    if (!wanted || context_.stop_requested()) return fail(Error::Kind::kCancelled, "stopped on request");
  }
  return {};
}

}  // namespace fovea::training
