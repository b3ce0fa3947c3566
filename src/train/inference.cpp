// SPDX-License-Identifier: Apache-2.0
#include "train/inference.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/parallel.h"

namespace fovea::training {
namespace {

/// Photos computed together: enough for every thread, few enough that activations stay in the caches.
constexpr int kBatch = 8;

constexpr std::string_view kFeatures = "features";

void append(Table& table, std::span<const float> rows, std::size_t count) {
  table.width = static_cast<std::int64_t>(rows.size() / count);
  table.values.insert(table.values.end(), rows.begin(), rows.end());
}

}  // namespace

Result<Inference> Inference::create(const Context& context, const Backend& backend, const NetworkSpec& spec,
                                    ParameterSet& parameters, std::string output, bool also_features) {
  const std::array<std::string_view, 2> outputs{output, kFeatures};
  FOVEA_ASSIGN(NetworkRunner network, NetworkRunner::create(context, backend, spec, parameters, kBatch,
                                                            std::span(outputs).first(also_features ? 2 : 1)));
  return Inference(context, std::move(network), std::move(output), also_features);
}

Result<void> Inference::run(const FittedPhotos& photos, const Preprocess& preprocess, Table& table, Table& features,
                            const OnBatch& on_batch) {
  for (std::size_t first = 0; first < photos.count(); first += kBatch) {
    const std::size_t count = std::min<std::size_t>(kBatch, photos.count() - first);
    parallel_for(context_, static_cast<std::int64_t>(count), [&](std::int64_t i) {
      normalize(photos.photo(first + static_cast<std::size_t>(i)), preprocess, network_.input(static_cast<int>(i)));
    });
    network_.run();
    append(table, network_.rows(output_, static_cast<int>(count)), count);
    if (also_features_) append(features, network_.rows(kFeatures, static_cast<int>(count)), count);
    const bool wanted = !on_batch || on_batch(static_cast<std::int64_t>(count));
    if (!wanted || context_.stop_requested()) return fail(Error::Kind::kCancelled, "stopped on request");
  }
  return {};
}

}  // namespace fovea::training
