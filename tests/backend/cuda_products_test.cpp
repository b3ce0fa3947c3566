// That a precision which is asked for reaches the products, on which a GPU's library is asked for them.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "cuda_host/host_backend.h"
#include "graph/compile.h"
#include "model/network.h"
#include "model/registry.h"
#include "runtime/plan.h"
#include "train/precision.h"

namespace fovea::test {
namespace {

using cuda::Number;

/// Of a step of training: the kinds of operands of all products.
Result<std::vector<Number>> operands(graph::Precision precision, NormMode norm) {
  std::vector<cuda::ProductShape> products;
  const auto backend = make_cuda_host_backend({.products = &products});
  FOVEA_ASSIGN(const Architecture found, find_architecture("mobilenet_v2"));
  NetworkSpec spec = found.spec;
  spec.height = spec.width = 64;
  FOVEA_ASSIGN(const graph::Graph built, build_network(spec, {.batch = 2, .norm = norm, .loss = true}));
  FOVEA_ASSIGN(graph::Graph graph,
               graph::compile_for_training(built, training::precisions_of(precision, *backend),
                                           training::live_blocks_of(*backend), [](std::string_view) { return true; }));
  FOVEA_ASSIGN(const auto plan, Plan::make({}, std::move(graph), *backend));
  std::vector<Number> kinds;
  for (const cuda::ProductShape& shape : products) kinds.push_back(shape.operands);
  return kinds;
}

TEST(CudaProducts, ReadWhatIsAskedForButInTheLastLayer) {
  constexpr std::pair<graph::Precision, Number> kKinds[] = {{graph::Precision::kF32, Number::kF32},
                                                            {graph::Precision::kTF32, Number::kTF32},
                                                            {graph::Precision::kBF16, Number::kBF16},
                                                            {graph::Precision::kFP16, Number::kFP16}};
  for (const NormMode norm : {NormMode::kFrozen, NormMode::kLive}) {
    for (const auto& [precision, number] : kKinds) {
      SCOPED_TRACE(graph::name_of(precision));
      const auto kinds = operands(precision, norm);
      ASSERT_TRUE(kinds.ok()) << kinds.error().message;
      const auto asked = std::ranges::count(*kinds, number), floats = std::ranges::count(*kinds, Number::kF32);
      EXPECT_GT(asked, 100);
      constexpr std::ptrdiff_t kOfLastLayer = 3;  // forward, and both gradients
      if (number != Number::kF32) {
        EXPECT_EQ(floats, kOfLastLayer);
      }
      EXPECT_EQ(asked + (number == Number::kF32 ? 0 : floats), std::ssize(*kinds));
    }
  }
}

}  // namespace
}  // namespace fovea::test
