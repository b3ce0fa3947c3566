// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "data/similar.h"
#include "estimate/probe.h"
#include "estimate/same_batch.h"
#include "image/decode.h"
#include "model/weights.h"
#include "train/fine_tuner.h"
#include "train/inference.h"
#include "train/photo_rows.h"
#include "train/precision.h"
#include "train/reporter.h"
#include "train/run_setup.h"
#include "train/trial.h"

namespace fovea::estimate {
namespace {

/// A step costs about so many looks; only used to keep within the budget.
constexpr double kLooksOfStep = 3.5;

struct Tuning {
  Cost set_up;
  Cost learn;
  std::int64_t bytes = 0;
  graph::Precision precision = graph::Precision::kF32;
};

/// Fine-tuning timed for about `budget` seconds; `step` is what a photo's step is expected to take.
Result<Tuning> probe_tuning(const NetworkProbe& probe, const NetworkSpec& spec, const ParameterSet& parameters, int batch,
                            NormMode norm, double step, double budget) {
  Tuning tuning;
  const CostWatch set_up;
  FOVEA_ASSIGN(ParameterSet own, training::copy_parameters(spec, parameters));
  training::FineTuneOptions options;
  options.norm = norm;
  options.batch = batch;
  FOVEA_ASSIGN(options.precision, training::choose_precision(probe.options.precision, probe.backend));
  // Statistics of a batch need the whole of it; else a step can be of fewer photos.
  while (norm == NormMode::kFrozen && options.batch > 1 && 2 * step * options.batch > budget) options.batch /= 2;
  options.schedule = {.peak = 1e-6, .steps = 1000, .warmup = 1};
  options.ema_decay = 0.9;
  FOVEA_ASSIGN(auto tuner, training::FineTuner::create(probe.context, probe.backend, spec, own, options));
  tuning.set_up = set_up.elapsed();
  tuning.bytes = static_cast<std::int64_t>(tuner.bytes());
  tuning.precision = tuner.precision();

  FOVEA_ASSIGN(const std::unique_ptr<SameBatch> source, SameBatch::create(probe.backend, spec, options.batch));
  constexpr int kFew = 8;  // touches all memory
  source->give(1, norm == NormMode::kLive ? options.batch : std::min(options.batch, kFew));
  FOVEA_TRY(tuner.run_epoch(*source, 0));
  const double of_batch = step * options.batch;
  const int batches = std::clamp(static_cast<int>(budget / (2 * of_batch)), 1, 8);
  source->give(batches, options.batch);
  const CostWatch watch;
  FOVEA_TRY(tuner.run_epoch(*source, 1));
  tuning.learn = (1.0 / (batches * options.batch)) * watch.elapsed();
  return tuning;
}

/// What the frozen network costs, into `costs`; `spec` is the run's.
Result<void> probe_looks(const NetworkProbe& probe, const Architecture& network, ParameterSet& parameters, NetworkCosts& costs) {
  const CostWatch set_up;
  FOVEA_ASSIGN(auto inference, training::Inference::create(probe.context, probe.backend, network.spec, parameters, "features"));
  costs.set_up += set_up.elapsed();
  costs.look_bytes = static_cast<std::int64_t>(inference.bytes());
  training::Reporter silent(nullptr);

  const auto at_once = static_cast<std::size_t>(inference.lanes()) * static_cast<std::size_t>(inference.lane(0).batch());
  const std::vector<Sample> few = spread_samples(probe.samples, at_once);
  training::PhotoRows warming(probe.context, few, network.preprocess, false);
  FOVEA_TRY(warming.run(inference, silent));
  const CostWatch warm;
  FOVEA_TRY(warming.run(inference, silent));
  const double rough = std::max(1e-5, warm.elapsed().seconds / static_cast<double>(few.size()));

  // Twice through these photos, in a third of the budget; whole rounds, so that no thread waits at the end.
  const auto affordable = static_cast<std::size_t>(probe.budget / 3 / (2 * rough));
  const std::size_t rounds = std::max<std::size_t>(1, std::min(affordable, probe.samples.size()) / at_once);
  const std::vector<Sample> some = spread_samples(probe.samples, rounds * at_once);
  const double share = 1 / static_cast<double>(some.size());
  training::PhotoRows rows(probe.context, some, network.preprocess, false);
  const CostWatch first;
  FOVEA_TRY(rows.run(inference, silent));
  costs.features = share * first.elapsed();
  const CostWatch again;
  FOVEA_TRY(rows.run(inference, silent));
  costs.look = share * again.elapsed();

  // In a run the features come with fingerprints, by which near-duplicates are found.
  const auto photo = load_image(some.front().path, {.shorter_side_needed = shorter_side_needed(network.preprocess)});
  if (!photo) return {};
  const CostWatch print;
  (void)fingerprint_of(*photo);
  const Cost one = print.elapsed();
  costs.features += Cost{one.seconds / probe.context.threads, one.processor};
  return {};
}

}  // namespace

Result<NetworkCosts> probe_network(const NetworkProbe& probe, const Architecture& network) {
  NetworkCosts costs;
  const CostWatch set_up;
  FOVEA_ASSIGN(const graph::Graph graph, build_network(network.spec));
  ParameterSet parameters(graph);
  initialize_parameters(parameters, 0);
  costs.set_up = set_up.elapsed();
  costs.parameter_bytes = static_cast<std::int64_t>(parameters.all().size_bytes());
  for (const auto& entry : parameters.entries()) {
    if (entry.role == graph::Role::kParameter) costs.parameters += entry.shape.elements();
  }
  FOVEA_TRY(probe_looks(probe, network, parameters, costs));
  if (probe.facts.scope == Scope::kHead) return costs;
  if (probe.context.stop_requested()) return fail(Error::Kind::kCancelled, "stopped on request");

  const double step = kLooksOfStep * costs.look.seconds;
  FOVEA_ASSIGN(const Tuning full, probe_tuning(probe, network.spec, parameters, probe.facts.batch, probe.facts.ways.front(), step,
                                               probe.budget / 2));
  costs.tuner_set_up = full.set_up;
  costs.learn = full.learn;
  costs.learn_bytes = full.bytes;
  costs.precision = full.precision;
  if (probe.facts.trial == 0) return costs;
  NetworkSpec small = network.spec;
  small.height = std::min(small.height, training::kTrialSide);
  small.width = std::min(small.width, training::kTrialSide);
  const double part = static_cast<double>(small.height) * small.width / (network.spec.height * network.spec.width);
  for (const NormMode norm : probe.facts.ways) {
    if (costs.learn_small.contains(norm)) continue;
    if (probe.context.stop_requested()) return fail(Error::Kind::kCancelled, "stopped on request");
    FOVEA_ASSIGN(const Tuning trial, probe_tuning(probe, small, parameters, training::kTrialBatch, norm,
                                                  part * full.learn.seconds, probe.budget / 6));
    costs.learn_small[norm] = trial.learn;
  }
  return costs;
}

}  // namespace fovea::estimate
