// SPDX-License-Identifier: Apache-2.0
#include "train/fine_tuner.h"

#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "core/error.h"
#include "graph/autodiff.h"
#include "graph/compile.h"
#include "graph/passes.h"
#include "train/precision.h"
#include "train/reporter.h"
#include "train/vector_math.h"

namespace fovea::training {
namespace {

constexpr int kMicroBatch = 16;

/// The largest divisor of `batch` up to kMicroBatch.
int micro_batch_of(const FineTuneOptions& options) {
  if (options.norm == NormMode::kLive) return options.batch;
  int size = std::min(options.batch, kMicroBatch);
  while (options.batch % size != 0) --size;
  return size;
}

using Names = std::unordered_set<std::string>;

Result<Names> trained_names(const NetworkSpec& spec, const FineTuneOptions& options) {
  FOVEA_ASSIGN(const auto stages, parameters_by_stage(spec));
  Names names;
  for (auto stage = static_cast<std::size_t>(options.cut_stage + 1); stage < stages.size(); ++stage)
    names.insert(stages[stage].begin(), stages[stage].end());
  return names;
}

Result<graph::Graph> training_graph(const NetworkSpec& spec, const FineTuneOptions& options, int rows, const Names& trained) {
  BuildOptions build{.batch = rows, .norm = options.norm, .loss = true, .multi_label = options.multi_label};
  if (options.norm == NormMode::kLive) build.frozen_stages = options.cut_stage + 1;
  FOVEA_ASSIGN(graph::Graph graph, build_network(spec, build));
  if (options.cut_stage >= 0) {
    const auto value = graph.output("stage/" + std::to_string(options.cut_stage));
    if (!value) return fail(Error::Kind::kUsage, "this network has no stage {}", options.cut_stage);
    const graph::Cut cut{"image", *value};
    graph = graph::cut_inputs(graph, std::span(&cut, 1));
  }
  return graph::compile_for_training(graph, options.precision,
                                     [&](std::string_view name) { return trained.contains(std::string(name)); });
}

}  // namespace

Result<FineTuner> FineTuner::create(const Context& context, const Backend& backend, const NetworkSpec& spec,
                                    ParameterSet& parameters, const FineTuneOptions& options) {
  const int rows = micro_batch_of(options);
  FOVEA_ASSIGN(const Names trained, trained_names(spec, options));
  FOVEA_ASSIGN(graph::Graph graph, training_graph(spec, options, rows, trained));
  parameters.allocate_gradients();
  std::vector<std::string> gradients;
  for (const graph::Graph::Output& output : graph.outputs()) {
    for (const auto& name : trained) {
      if (output.name == graph::gradient_name(name)) gradients.push_back(output.name);
    }
  }
  FOVEA_ASSIGN(auto plan, Plan::make(context, std::move(graph), backend,
                                     {.constant_weights = options.norm == NormMode::kFrozen, .bound_outputs = gradients}));
  auto executor = std::make_unique<Executor>(std::move(plan));
  parameters.bind_to(*executor);
  auto spans = trainable_spans(parameters, [&](std::string_view name) { return trained.contains(std::string(name)); });
  return FineTuner(context, parameters, options, rows, std::move(executor), std::move(spans));
}

FineTuner::FineTuner(const Context& context, ParameterSet& parameters, const FineTuneOptions& options, int micro_batch,
                     std::unique_ptr<Executor> executor, std::vector<Span> spans)
    : context_(context),
      parameters_(&parameters),
      options_(options),
      micro_batch_(micro_batch),
      executor_(std::move(executor)),
      optimizer_(options.optimizer, std::move(spans), parameters.parameters().size()),
      sum_(parameters.parameters().size() * sizeof(float)) {
  set_schedule(options.schedule, options.ema_decay);
}

void FineTuner::set_schedule(const Schedule& schedule, double average_decay) {
  options_.schedule = schedule;
  options_.ema_decay = average_decay;
  if (average_decay <= 0 || average_.size() != 0) return;
  average_ = Buffer(parameters_->all().size() * sizeof(float));
  std::ranges::copy(parameters_->all(), average_.floats().begin());
}

std::span<const float> FineTuner::result() const {
  const std::span<const float> values = std::as_const(*parameters_).all();
  return average_.size() == 0 ? values : average_.floats().first(values.size());
}

/// Leaves the gradient of the batch's weighted mean loss in sum_; gives that loss.
double FineTuner::accumulate(const StepBatch& batch) {
  const double total = std::accumulate(batch.weights.begin(), batch.weights.end(), 0.0);
  scaled_weights_.assign(batch.weights.begin(), batch.weights.end());
  for (float& weight : scaled_weights_) weight = total > 0 ? static_cast<float>(weight / total) : 0.0F;
  const auto rows = static_cast<std::size_t>(batch.rows);
  const std::size_t width = batch.input.size() / rows;
  const std::size_t classes = batch.targets.size() / rows;
  std::ranges::fill(sum_.floats(), 0.0F);
  double loss = 0;
  // The parameters stand still for a whole batch, so its parts share one folding and packing.
  if (executor_->plan().constant_weights()) executor_->prepare_weights();
  for (std::size_t first = 0; first < static_cast<std::size_t>(batch.count); first += static_cast<std::size_t>(micro_batch_)) {
    executor_->bind("image", batch.input.data() + first * width);
    executor_->bind("targets", const_cast<float*>(batch.targets.data()) + first * classes);  // read only
    executor_->bind("weights", scaled_weights_.data() + first);
    executor_->run({.seed = options_.seed, .step = runs_++});
    loss += executor_->output("loss").floats()[0];
    for (const Span& span : optimizer_.spans()) {
      add_scaled(context_, 1.0F, parameters_->gradients().subspan(span.offset, span.size),
                 sum_.floats().subspan(span.offset, span.size));
    }
  }
  return loss;
}

void FineTuner::update() {
  const std::int64_t step = optimizer_.steps();
  const auto gradients = std::span<const float>(sum_.floats()).first(parameters_->parameters().size());
  const double scale = clip_scale(gradient_norm(context_, gradients, optimizer_.spans()), options_.clip_norm);
  optimizer_.step(context_, parameters_->parameters(), gradients, options_.schedule.rate(step), scale);
  if (average_.size() != 0) {
    update_average(context_, options_.ema_decay, step, parameters_->all(), average_.floats().first(parameters_->all().size()));
  }
}

Result<EpochResult> FineTuner::run_epoch(BatchSource& source, std::uint32_t epoch, const OnStep& on_step,
                                         const EpochResult& done) {
  const Stopwatch watch;
  EpochResult result = done;
  const double earlier = done.seconds;  // `done` may be what on_step updates
  source.start_epoch(epoch, done.batches);
  StepBatch batch;
  for (;;) {
    const Result<bool> more = source.next(batch);
    if (!more && more.error().kind != Error::Kind::kCancelled) return more.error();
    result.finished = more.ok();
    if (!more || !*more) break;
    ++result.batches;
    // Padding would count in the batch's own statistics.
    if (options_.norm == NormMode::kLive && batch.count < batch.rows) continue;
    result.lr = options_.schedule.rate(optimizer_.steps());
    result.loss_sum += accumulate(batch) * static_cast<double>(batch.count);
    update();
    result.photos += batch.count;
    result.seconds = earlier + watch.seconds();
    bool wanted = true;
    if (on_step) {
      FOVEA_ASSIGN(wanted, on_step(result));
    }
    if (!wanted || context_.stop_requested()) {
      result.finished = false;
      break;
    }
  }
  result.seconds = earlier + watch.seconds();
  return result;
}

FineTuner::Buffers FineTuner::buffers() {
  const std::size_t all = parameters_->all().size();
  const std::size_t trained = parameters_->parameters().size();
  const auto first_of = [](std::span<float> values, std::size_t size) { return values.first(std::min(values.size(), size)); };
  return {parameters_->all(), first_of(optimizer_.first_moments(), trained), first_of(optimizer_.second_moments(), trained),
          first_of(average_.floats(), all)};
}

void FineTuner::set_counters(const Counters& counters) {
  optimizer_.set_steps(counters.steps);
  runs_ = counters.runs;
}

bool FineTuner::multiplies_bf16() const { return training::multiplies_bf16(executor_->plan().graph()); }

std::size_t FineTuner::bytes() const {
  return executor_->plan().arena_bytes() + executor_->plan().persistent_bytes() + parameters_->gradients().size_bytes() +
         optimizer_.bytes() + sum_.size() + average_.size();
}

double FineTuner::measure_step() {
  const graph::Graph& graph = executor_->plan().graph();
  const auto floats = [&](const char* name) { return static_cast<std::size_t>(graph.shape(*graph.find(name)).elements()); };
  std::vector<float> input(floats("image"), 0.1F);
  std::vector<float> targets(floats("targets"), 0.0F);
  std::vector<float> weights(static_cast<std::size_t>(micro_batch_), 0.0F);
  // Statistics that follow the batch would follow this one too.
  std::vector<float> kept(parameters_->all().begin(), parameters_->all().end());
  const StepBatch batch{input, targets, weights, micro_batch_, micro_batch_};
  accumulate(batch);  // touches all memory
  const Stopwatch watch;
  accumulate(batch);
  const double seconds = watch.seconds() * options_.batch / micro_batch_;
  std::ranges::copy(kept, parameters_->all().begin());
  runs_ = 0;
  return seconds;
}

}  // namespace fovea::training
