// SPDX-License-Identifier: Apache-2.0
#include "estimate/gpu_cost.h"

#include <algorithm>
#include <limits>

#include "backend/gpu_precisions.h"
#include "core/error.h"
#include "runtime/parameters.h"
#include "train/precision.h"
#include "train/trial.h"

namespace fovea::estimate {
namespace {

constexpr double kUsableMemory = 0.9;     // the driver, the libraries and other programs hold the rest
constexpr double kLink = 12e9;            // bytes a second from the host's memory: eight lanes of PCIe 4
constexpr double kSetUp = 1;              // seconds: libraries are loaded, kernels chosen
constexpr double kLandscape = 4.0 / 3.0;  // longer side of a photo over its shorter one
constexpr int kLookRows = 64;

Cost on_gpu(double seconds) { return {seconds, 0}; }

struct StepMemory {
  double bytes = 0;            ///< values between nodes, and the batch itself
  double elements_of_row = 0;  ///< of the largest value, where kernels count in 31 bits
};

/// Of a step with `rows` rows.
Result<StepMemory> step_memory(const NetworkSpec& spec, int rows, NormMode norm, graph::Precision precision) {
  FOVEA_ASSIGN(const NetworkGraphs graphs, graphs_of(spec, rows, norm, true, precision));
  StepMemory memory;
  memory.bytes = real(arena_bytes(graphs.learn)) + sizeof(float) * 3.0 * rows * spec.height * spec.width;
  for (const graph::Value& value : graphs.learn.values()) {
    if (value.role == graph::Role::kIntermediate)
      memory.elements_of_row = std::max(memory.elements_of_row, real(value.shape.elements()) / rows);
  }
  return memory;
}

struct Seconds {
  double look = 0;   ///< of a photo
  double learn = 0;  ///< of a photo
};

Result<Seconds> seconds_of_photo(const NetworkSpec& spec, const GpuModel& gpu, graph::Precision precision, int batch,
                                 NormMode norm, bool fused, std::int64_t parameters) {
  FOVEA_ASSIGN(const NetworkGraphs looking, graphs_of(spec, kLookRows, NormMode::kFrozen, fused, graph::Precision::kF32));
  FOVEA_ASSIGN(const NetworkGraphs learning, graphs_of(spec, batch, norm, fused, precision));
  return Seconds{seconds_of(looking.look, gpu) / kLookRows,
                 (seconds_of(learning.learn, gpu) + update_seconds(parameters, gpu)) / batch};
}

/// What the processors do is as measured here; it goes on while the GPU computes, so the longer of the two counts.
Cost both(const Cost& host, double gpu_seconds) { return {std::max(host.seconds, gpu_seconds), host.processor}; }

}  // namespace

Result<graph::Precision> choose_precision(PrecisionChoice asked, const GpuModel& gpu) {
  return training::choose_precision(asked, gpu.name,
                                    [&](graph::Precision precision) { return gpu.capability >= least_capability(precision); });
}

Result<GpuCosts> gpu_costs(const NetworkSpec& spec, const GpuModel& gpu, const RunFacts& facts, const PhotoCosts& host,
                           int side) {
  GpuCosts costs;
  FOVEA_ASSIGN(costs.precision, choose_precision(facts.precision, gpu));
  FOVEA_ASSIGN(const graph::Graph graph, build_network(spec));
  const ParameterSet parameters(graph);
  const double weights = real(static_cast<std::int64_t>(parameters.all().size_bytes()));
  const NormMode norm = facts.ways.front();

  // A step's memory is a part for each row and a part that is always there, so two batches tell all others.
  constexpr int kFew = 4;
  FOVEA_ASSIGN(const StepMemory of_few, step_memory(spec, kFew, norm, costs.precision));
  FOVEA_ASSIGN(const StepMemory of_twice, step_memory(spec, 2 * kFew, norm, costs.precision));
  const double few = of_few.bytes;
  const double row = (of_twice.bytes - few) / kFew;
  const double fixed = 6 * weights + std::max(0.0, few - kFew * row);  // values, gradients, two moments, average, a candidate
  const double room = kUsableMemory * gpu.gib * 0x1p30;
  const double countable = std::numeric_limits<int>::max() / of_twice.elements_of_row;
  costs.largest_batch = static_cast<int>(std::clamp(std::min((room - fixed) / row, countable), 0.0, 4096.0));
  costs.bytes = static_cast<std::int64_t>(fixed + row * facts.batch);
  const int batch = std::clamp(facts.batch, 1, std::max(1, costs.largest_batch));
  const double photo = 3 * kLandscape * side * side;
  costs.holds_data_set = fixed + row * batch + photo * real(facts.train) <= room;

  NetworkSpec small = spec;
  small.height = std::min(small.height, training::kTrialSide);
  small.width = std::min(small.width, training::kTrialSide);
  for (SizeCosts* bound : {&costs.at_best, &costs.at_worst}) {
    const bool fused = bound == &costs.at_best;
    const auto count = static_cast<std::int64_t>(parameters.all().size());
    FOVEA_ASSIGN(const Seconds full, seconds_of_photo(spec, gpu, costs.precision, batch, norm, fused, count));
    NetworkCosts& network = bound->network;
    network.set_up = network.tuner_set_up = on_gpu(kSetUp);
    network.look = on_gpu(full.look);
    network.learn = on_gpu(full.learn);
    network.features = both(host.compare, full.look);
    for (const NormMode way : facts.ways) {
      FOVEA_ASSIGN(const Seconds trial, seconds_of_photo(small, gpu, costs.precision, training::kTrialBatch, way, fused, count));
      network.learn_small[way] = on_gpu(trial.learn);
    }
    network.parameters = count;
    network.parameter_bytes = static_cast<std::int64_t>(weights);
    bound->photos = host;
    // Varied on the GPU, from bytes that lie there or come while it learns.
    bound->photos.vary = on_gpu(costs.holds_data_set ? 0 : std::max(0.0, photo / kLink - full.learn));
    bound->photos.vary_small = on_gpu(0);
    bound->pixels = std::int64_t{3} * spec.height * spec.width;
  }
  return costs;
}

}  // namespace fovea::estimate
