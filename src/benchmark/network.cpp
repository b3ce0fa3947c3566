// SPDX-License-Identifier: Apache-2.0
#include "benchmark/network.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "fovea/trainer.h"
#include "graph/autodiff.h"
#include "graph/passes.h"
#include "model/model_file.h"
#include "model/registry.h"
#include "model/weights.h"

namespace fovea::benchmark {

Result<std::vector<MeasuredNetwork>> networks_of(const NetworkBenchOptions& options) {
  std::vector<MeasuredNetwork> networks;
  if (!options.model.empty()) {
    FOVEA_ASSIGN(Model model, load_model(options.model));
    networks.push_back({options.model.filename().string(), model.spec, std::move(model.parameters)});
    return networks;
  }
  std::vector<std::string> names = options.archs;
  if (names.empty()) names.push_back(TrainOptions().arch);
  for (const std::string& name : names) {
    FOVEA_ASSIGN(Architecture network, find_architecture(name));
    if (options.size > 0) network.spec.height = network.spec.width = options.size;
    FOVEA_ASSIGN(const graph::Graph graph, build_network(network.spec));
    ParameterSet parameters(graph);
    initialize_parameters(parameters, 0);
    networks.push_back({network.name, network.spec, std::move(parameters)});
  }
  return networks;
}

Result<std::vector<int>> batches_of(const NetworkBenchOptions& options, const std::vector<int>& usual) {
  const std::vector<int>& batches = options.batches.empty() ? usual : options.batches;
  for (const int batch : batches) {
    if (batch < 1) return fail(Error::Kind::kUsage, "batch {}: expected 1 or more", batch);
  }
  return batches;
}

Result<double> arithmetic_of(const NetworkSpec& spec, int batch, bool training) {
  FOVEA_ASSIGN(graph::Graph graph, build_network(spec, {.batch = batch, .loss = training}));
  graph = graph::fold_batchnorm(graph);
  if (training) {
    FOVEA_ASSIGN(graph, graph::differentiate(graph, [](std::string_view) { return true; }));
  }
  graph = graph::eliminate_dead(graph);
  double flops = 0;
  for (const graph::Node& node : graph.nodes()) flops += graph::flops(graph, node);
  return flops;
}

NetworkRate rate_of(const MeasuredNetwork& network, int batch, int threads, std::span<const double> seconds, double flops,
                    MachineRates& machine) {
  const double median = quantile(seconds, 0.5);
  return {.network = network.name,
          .size = network.spec.height,
          .batch = batch,
          .threads = threads,
          .precision = "fp32",
          .runs = static_cast<std::int64_t>(seconds.size()),
          .median_ms = 1e3 * median,
          .p95_ms = 1e3 * quantile(seconds, 0.95),
          .images_per_second = batch / median,
          .gflops = 1e-9 * flops / median,
          .machine_gflops = machine.gemm_gflops(threads),
          .peak_memory = PeakMemory::bytes()};
}

}  // namespace fovea::benchmark
