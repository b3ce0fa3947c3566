// Fovea: training steps per second of one network on synthetic photos, and where the time goes.
// SPDX-License-Identifier: Apache-2.0
//
//   bench_train_step mobilenet_v2 --batch 32 --size 224 --bn frozen --threads 2
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "backend/registry.h"
#include "benchmark/settings.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/rng.h"
#include "core/tuning.h"
#include "graph/autodiff.h"
#include "graph/compile.h"
#include "hardware/rates.h"
#include "meter.h"
#include "model/inference_graph.h"
#include "model/network.h"
#include "model/registry.h"
#include "runtime/executor.h"
#include "runtime/parameters.h"
#include "timed_backend.h"
#include "train/precision.h"

namespace fovea::bench {
namespace {

struct Options {
  std::string architecture = "mobilenet_v2";
  std::string norm = "frozen";
  int batch = 32;
  int micro_batch = 0;  ///< 0: the whole batch at once
  int size = 224;
  int threads = 2;
  int steps = 3;
  bool table = false;
  bool layers = false;
  bool json = false;
  bool processor_time = false;
  bool inference = false;
  bool bf16 = false;
  bool op_by_op = false;
  bool tune = false;
};

Result<graph::Graph> training_graph(const Options& options, const Backend& backend) {
  FOVEA_ASSIGN(const Architecture architecture, find_architecture(options.architecture));
  NetworkSpec spec = architecture.spec;
  spec.height = spec.width = options.size;
  const NormMode norm = options.norm == "live" ? NormMode::kLive : NormMode::kFrozen;
  FOVEA_ASSIGN(const graph::Graph built, build_network(spec, {.batch = options.micro_batch, .norm = norm, .loss = true}));
  const graph::Precision precision = options.bf16 ? graph::Precision::kBF16 : graph::Precision::kF32;
  const graph::LiveBlocks live = options.op_by_op ? graph::LiveBlocks::kOpByOp : training::live_blocks_of(backend);
  return graph::compile_for_training(built, training::precisions_of(precision, backend), live,
                                     [](std::string_view) { return true; });
}

/// Small random weights, unit scales and variances: the time does not depend on them, but denormal numbers would show.
void initialise(ParameterSet& parameters) {
  Rng rng(1);
  for (const ParameterSet::Entry& entry : parameters.entries()) {
    const bool weight = entry.shape.rank() > 1;
    const std::int64_t outputs = weight ? entry.shape[0] : entry.shape.elements();
    const double fan_in = static_cast<double>(entry.shape.elements()) / static_cast<double>(outputs);
    const bool one = entry.name.ends_with("var") || (!weight && entry.name.ends_with("weight"));
    for (float& value : parameters.values(entry)) {
      value = weight ? rng.normal() * static_cast<float>(std::sqrt(2.0 / fan_in)) : (one ? 1.0F : 0.0F);
    }
  }
}

/// Accumulated gradients, and SGD with momentum.
class Sgd {
 public:
  Sgd(const Context& context, std::size_t floats)
      : context_(context), sum_(floats * sizeof(float)), momentum_(floats * sizeof(float)) {}
  void accumulate(std::span<const float> gradients, bool first) {
    each(gradients.size(), [&](std::size_t i) { sum_.floats()[i] = first ? gradients[i] : sum_.floats()[i] + gradients[i]; });
  }
  /// Against the sum of what was accumulated.
  void step(std::span<float> parameters, float rate) { step(parameters, sum_.floats(), rate); }
  void step(std::span<float> parameters, std::span<const float> gradients, float rate) {
    float* momentum = momentum_.floats().data();
    const float* sum = gradients.data();
    each(parameters.size(), [&](std::size_t i) {
      momentum[i] = 0.9F * momentum[i] + sum[i];
      parameters[i] -= rate * momentum[i];
    });
  }

 private:
  template <class Body>
  void each(std::size_t count, const Body& body) {
    parallel_ranges(context_, static_cast<std::int64_t>(count), 4096, [&](Range r) {
      for (std::int64_t i = r.begin; i < r.end; ++i) body(static_cast<std::size_t>(i));
    });
  }
  Context context_;
  Buffer sum_;
  Buffer momentum_;
};

struct Measured {
  double images_per_second = 0;
  double flops = 0;  ///< of one step
  double optimiser_seconds = 0;
  double loss = 0;
};

Result<Measured> measure(const Options& options, TimedBackend& backend) {
  Context context;
  context.threads = options.threads;
  FOVEA_ASSIGN(graph::Graph graph, training_graph(options, backend));
  ParameterSet parameters(graph);
  parameters.allocate_gradients();
  initialise(parameters);
  std::vector<std::string> gradients;
  for (const ParameterSet::Entry& entry : parameters.entries()) {
    if (entry.role == graph::Role::kParameter) gradients.push_back(graph::gradient_name(entry.name));
  }
  FOVEA_ASSIGN(auto plan, Plan::make(context, std::move(graph), backend,
                                     {.constant_weights = options.norm == "frozen", .bound_outputs = gradients}));
  Executor executor(plan);
  parameters.bind_to(executor);
  std::vector<Buffer> inputs;
  Rng rng(2);
  for (std::size_t id = 0; id < plan->graph().values().size(); ++id) {
    const graph::Value& value = plan->graph().values()[id];
    if (value.role != graph::Role::kInput) continue;
    inputs.emplace_back(static_cast<std::size_t>(value.shape.elements()) * sizeof(float));
    const float scale = value.name == "image" ? 1.0F : 0.0F;
    for (float& x : inputs.back().floats()) x = scale * rng.normal();
    if (value.name == "targets") {
      for (std::int64_t n = 0; n < value.shape[0]; ++n)
        inputs.back().floats()[static_cast<std::size_t>(n * value.shape[1] + n)] = 1.0F;
    }
    if (value.name == "weights") std::ranges::fill(inputs.back().floats(), 1.0F / static_cast<float>(options.batch));
    executor.bind(static_cast<graph::ValueId>(id), inputs.back().floats().data());
  }
  Sgd sgd(context, parameters.parameters().size());
  Measured measured;
  const bool whole = options.micro_batch == options.batch;  // as in a trainer, there is nothing to sum then
  const auto step = [&](std::uint32_t number) {
    if (plan->constant_weights()) executor.prepare_weights();
    for (int done = 0; done < options.batch; done += options.micro_batch) {
      executor.run({.seed = 1, .step = number});
      if (whole) break;
      const double begin = now();
      sgd.accumulate(parameters.gradients(), done == 0);
      measured.optimiser_seconds += now() - begin;
    }
    const double begin = now();
    whole ? sgd.step(parameters.parameters(), parameters.gradients(), 1e-3F) : sgd.step(parameters.parameters(), 1e-3F);
    measured.optimiser_seconds += now() - begin;
  };
  step(0);  // touches all memory
  backend.reset();
  measured.optimiser_seconds = 0;
  const double begin = now();
  for (int i = 0; i < options.steps; ++i) step(static_cast<std::uint32_t>(i + 1));
  measured.images_per_second = options.steps * options.batch / (now() - begin);
  for (const auto& time : backend.times()) measured.flops += time->flops * time->runs / options.steps;
  measured.loss = static_cast<double>(*executor.output("loss").f32());
  return measured;
}

/// Milliseconds a step, by op or by layer, longest first.
void print_table(const TimedBackend& backend, const Options& options, const Measured& measured) {
  struct Row {
    double run = 0, pack = 0, flops = 0;
  };
  std::map<std::string, Row> rows;
  for (const auto& time : backend.times()) {
    Row& row = rows[options.layers ? time->op + " " + time->shape : time->op + " " + time->kernel];
    row.run += time->run_seconds;
    row.pack += time->pack_seconds;
    row.flops += time->flops * time->runs;
  }
  rows["(optimiser)"].run = measured.optimiser_seconds;
  std::vector<std::pair<std::string, Row>> sorted(rows.begin(), rows.end());
  std::ranges::sort(sorted,
                    [](const auto& a, const auto& b) { return a.second.run + a.second.pack > b.second.run + b.second.pack; });
  std::printf("%10s %10s %10s  %s\n", "ms/step", "pack", "GFLOP/s", options.layers ? "layer" : "op and kernel");
  for (const auto& [name, row] : sorted) {
    std::printf("%10.2f %10.2f %10.1f  %s\n", row.run * 1e3 / options.steps, row.pack * 1e3 / options.steps,
                row.run > 0 ? row.flops / row.run * 1e-9 : 0.0, name.c_str());
  }
}

/// Use instead of training: how long a plan takes to make, and a run.
Result<void> infer(const Options& options, TimedBackend& backend) {
  Context context;
  context.threads = options.threads;
  if (options.tune) context.tuning = std::make_shared<Tuning>();
  if (options.layers) context.log = [](Severity, std::string_view text) { std::printf("%s\n", std::string(text).c_str()); };
  FOVEA_ASSIGN(const Architecture architecture, find_architecture(options.architecture));
  NetworkSpec spec = architecture.spec;
  spec.height = spec.width = options.size;
  const double begin = now();
  constexpr std::array<std::string_view, 1> kOutputs{"logits"};
  FOVEA_ASSIGN(graph::Graph graph, inference_graph(spec, options.batch, kOutputs));
  ParameterSet parameters(graph);
  const double built = now();
  initialise(parameters);
  const double initialised = now();
  FOVEA_ASSIGN(auto plan, Plan::make(context, std::move(graph), backend, {.constant_weights = true, .bound_outputs = {}}));
  const double planned = now();
  Executor executor(plan);
  parameters.bind_to(executor);
  const Buffer image(static_cast<std::size_t>(options.batch * options.size * options.size) * 3 * sizeof(float));
  executor.bind("image", image.floats().data());
  executor.prepare_weights();
  const double packed = now();
  executor.run();
  const double first = now();
  double best = 1e9;
  backend.reset();
  for (int i = 0; i < options.steps; ++i) {
    const double start = now();
    executor.run();
    best = std::min(best, now() - start);
  }
  std::printf(
      "%s: graph %.1f ms, plan %.1f ms, weights %.1f ms, first run %.1f ms, best run %.2f ms; arena %.1f MiB, kept %.1f MiB\n",
      options.architecture.c_str(), (built - begin) * 1e3, (planned - initialised) * 1e3, (packed - planned) * 1e3,
      (first - packed) * 1e3, best * 1e3, static_cast<double>(plan->arena_bytes()) / 1048576.0,
      static_cast<double>(plan->persistent_bytes()) / 1048576.0);
  if (options.table || options.layers) print_table(backend, options, {});
  return {};
}

double peak_mib() { return static_cast<double>(benchmark::PeakMemory::bytes()) / 1048576.0; }

int run(const Options& options) {
  auto backend = make_backend("cpu");
  if (!backend) return std::fprintf(stderr, "%s\n", backend.error().message.c_str()), 2;
  if (options.inference) {
    TimedBackend timed(std::move(backend).value());
    const auto inferred = infer(options, timed);
    if (!inferred) return std::fprintf(stderr, "%s\n", inferred.error().message.c_str()), 2;
    return 0;
  }
  TimedBackend timed(std::move(backend).value());
  const auto measured = measure(options, timed);
  if (!measured) return std::fprintf(stderr, "%s\n", measured.error().message.c_str()), 2;
  const double gemm = hardware::gemm_rate(options.threads, now);
  const double share = measured->flops * measured->images_per_second / options.batch * 1e-9 / gemm;
  if (options.json) {
    std::printf("%s\n", nlohmann::json{{"images_per_second", measured->images_per_second},
                                       {"gemm_gflops", gemm},
                                       {"share_of_gemm", share},
                                       {"peak_mib", peak_mib()}}
                            .dump()
                            .c_str());
    return 0;
  }
  if (options.table || options.layers) print_table(timed, options, *measured);
  std::printf(
      "%s, batch %d by %d, %d pixels, BatchNorm %s, %d threads: %.1f images/s; %.2f of this machine's GEMM (%.0f GFLOP/s); peak "
      "%.0f MiB; loss %.4f\n",
      options.architecture.c_str(), options.batch, options.micro_batch, options.size, options.norm.c_str(), options.threads,
      measured->images_per_second, share, gemm, peak_mib(), measured->loss);
  return 0;
}

}  // namespace
}  // namespace fovea::bench

int main(int argc, char** argv) {
  fovea::bench::Options options;
  CLI::App app("Training steps of a network on synthetic photos: images per second and where the time goes.");
  app.add_option("architecture", options.architecture, "mobilenet_v2, efficientnet_lite0, yolo11n-cls, ...");
  app.add_option("--bn", options.norm)->check(CLI::IsMember({"frozen", "live"}));
  app.add_option("--batch", options.batch)->check(CLI::PositiveNumber);
  app.add_option("--micro-batch", options.micro_batch,
                 "images run at once; gradients are added up (exact with frozen statistics)");
  app.add_option("--size", options.size)->check(CLI::PositiveNumber);
  app.add_option("--threads", options.threads)->check(CLI::PositiveNumber);
  app.add_option("--steps", options.steps)->check(CLI::PositiveNumber);
  app.add_flag("--table", options.table, "time by op");
  app.add_flag("--layers", options.layers, "time by layer");
  app.add_flag("--processor-time", options.processor_time, "count processor time: for a busy machine, with --threads 1");
  app.add_flag("--bf16", options.bf16, "products of blocks and convolutions in bf16");
  app.add_flag("--op-by-op", options.op_by_op, "with --bn live: blocks not as one op");
  app.add_flag("--inference", options.inference, "a plan for use instead: how long it takes to make, and to run");
  app.add_flag("--tune", options.tune, "of inference: ways chosen by timing, not kept");
  app.add_flag("--json", options.json);
  CLI11_PARSE(app, argc, argv);
  if (options.micro_batch <= 0 || options.micro_batch > options.batch) options.micro_batch = options.batch;
  if (options.processor_time) fovea::bench::use_processor_clock();
  return fovea::bench::run(options);
}
