// No network's training falls back on a library's plain loops, which are a hundred times as slow as its kernels.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "backend/registry.h"
#include "core/error.h"
#include "graph/compile.h"
#include "model/network.h"
#include "model/registry.h"
#include "runtime/plan.h"

namespace fovea {
namespace {

/// A line for each node, with its kernel's name. kUnsupported where the processor has no such products.
Result<std::string> lines_of(graph::Graph graph) {
  FOVEA_ASSIGN(const auto backend, make_backend("cpu"));
  Context context;
  context.threads = 2;
  FOVEA_ASSIGN(const auto plan, Plan::make(context, std::move(graph), *backend));
  return plan->describe();
}

Result<std::string> training_step(const std::string& architecture, int batch, graph::Precision precision) {
  FOVEA_ASSIGN(const Architecture found, find_architecture(architecture));
  FOVEA_ASSIGN(const graph::Graph built, build_network(found.spec, {.batch = batch, .loss = true}));
  FOVEA_ASSIGN(graph::Graph graph, graph::compile_for_training(built, {precision, precision}, graph::LiveBlocks::kOpByOp,
                                                               [](std::string_view) { return true; }));
  return lines_of(std::move(graph));
}

Result<std::string> use(const std::string& architecture, int batch) {
  FOVEA_ASSIGN(const Architecture found, find_architecture(architecture));
  FOVEA_ASSIGN(const graph::Graph built, build_network(found.spec, {.batch = batch}));
  return lines_of(graph::compile_for_use(built));
}

void expect_no_plain_loops(const Result<std::string>& lines, const std::string& architecture, int batch) {
  ASSERT_TRUE(lines) << lines.error().message;
  const std::size_t at = lines->find("onednn_plain");
  EXPECT_EQ(at, std::string::npos) << architecture << ", batch " << batch << ": " << lines->substr(at, 100);
}

TEST(KernelChoice, NoPlainLoopsInTraining) {
  for (const std::string& architecture : architecture_names()) {
    for (const int batch : {2, 16}) {
      expect_no_plain_loops(training_step(architecture, batch, graph::Precision::kF32), architecture, batch);
      const auto lines = training_step(architecture, batch, graph::Precision::kBF16);
      if (!lines && lines.error().kind == Error::Kind::kUnsupported) continue;
      expect_no_plain_loops(lines, architecture, batch);
    }
  }
}

TEST(KernelChoice, NoPlainLoopsInUse) {
  for (const std::string& architecture : architecture_names()) {
    for (const int batch : {1, 8}) expect_no_plain_loops(use(architecture, batch), architecture, batch);
  }
}

}  // namespace
}  // namespace fovea
