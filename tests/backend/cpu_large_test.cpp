// Tensors too large for the caches are stored in another way, with the same bits.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "backend/cpu/cpu_backend.h"
#include "core/rng.h"
#include "runtime/executor.h"

namespace fovea {
namespace {

constexpr std::int64_t kImages = 6, kSide = 112, kChannels = 64;  // 18 MiB

std::vector<float> normals(std::uint64_t seed, std::int64_t count) {
  Rng rng(seed);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = rng.normal();
  return values;
}

/// What a graph of `images` gives for x; `add` appends the op that is tested.
template <class AddOp>
std::vector<float> run(const Backend& backend, std::int64_t images, const float* x, const AddOp& add) {
  graph::Graph graph;
  const auto image = graph.input("x", {images, kSide, kSide, kChannels});
  graph.mark_output("y", add(graph, image));
  Context context;
  context.threads = 2;
  auto plan = Plan::make(context, std::move(graph), backend, {.constant_weights = true});
  if (!plan) return ADD_FAILURE() << plan.error().message, std::vector<float>{};
  Executor executor(*plan);
  executor.bind("x", const_cast<float*>(x));
  std::vector<std::vector<float>> parameters;
  for (const graph::Value& value : (*plan)->graph().values()) {
    if (value.role != graph::Role::kParameter && value.role != graph::Role::kState) continue;
    parameters.push_back(normals(parameters.size() + 2, value.shape.elements()));
    for (float& each : parameters.back()) each = std::abs(each) + 0.5F;
    executor.bind(value.name, parameters.back().data());
  }
  executor.prepare_weights();
  executor.run();
  const auto y = executor.output("y").floats();
  return {y.begin(), y.end()};
}

template <class AddOp>
void expect_same_bits_image_by_image(const AddOp& add) {
  const auto backend = make_cpu_backend();
  ASSERT_TRUE(backend) << backend.error().message;
  const auto x = normals(1, kImages * kSide * kSide * kChannels);
  const auto together = run(**backend, kImages, x.data(), add);
  const std::size_t image = x.size() / kImages;
  ASSERT_EQ(together.size(), x.size());
  for (std::size_t n = 0; n < kImages; ++n) {
    const auto alone = run(**backend, 1, x.data() + n * image, add);
    ASSERT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + static_cast<std::ptrdiff_t>(n * image)))
        << "image " << n;
  }
}

TEST(CpuLarge, DepthwiseConvolution) {
  expect_same_bits_image_by_image([](graph::Graph& graph, graph::ValueId x) {
    const auto w = graph.parameter("w", {kChannels, 1, 3, 3});
    return graph.add(graph::DepthwiseConv2d{{3, 3, 1, {1, 1, 1, 1}}, graph::Activation::kRelu6}, {x, w});
  });
}

TEST(CpuLarge, BatchNorm) {
  expect_same_bits_image_by_image([](graph::Graph& graph, graph::ValueId x) {
    const Shape shape{kChannels};
    return graph.add(graph::BatchNorm{}, {x, graph.parameter("gamma", shape), graph.parameter("beta", shape),
                                          graph.state("mean", shape), graph.state("var", shape)});
  });
}

}  // namespace
}  // namespace fovea
