// SPDX-License-Identifier: Apache-2.0
#include "train/fine_tuner.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <new>
#include <numeric>

#include "core/device_failure.h"
#include "core/error.h"
#include "graph/autodiff.h"
#include "graph/compile.h"
#include "graph/passes.h"
#include "train/precision.h"
#include "train/reporter.h"

namespace fovea::training {
namespace {

/// Rows that keep the activations in a processor's caches; a device takes all.
constexpr int kMicroBatch = 16;

/// The largest divisor of `rows` up to `most`.
int divisor_of(int rows, int most) {
  int size = std::min(rows, most);
  while (rows % size != 0) --size;
  return size;
}

using Names = std::unordered_set<std::string>;

Result<Names> trained_names(const NetworkSpec& spec, const FineTuneOptions& options) {
  FOVEA_ASSIGN(const auto stages, parameters_by_stage(spec));
  Names names;
  for (auto stage = static_cast<std::size_t>(options.cut_stage) + 1; stage < stages.size(); ++stage)
    names.insert(stages[stage].begin(), stages[stage].end());
  return names;
}

Result<graph::Graph> training_graph(const Backend& backend, const NetworkSpec& spec, const FineTuneOptions& options, int rows,
                                    const Names& trained) {
  BuildOptions build{.batch = rows, .norm = options.norm, .loss = true, .multi_label = options.multi_label};
  if (options.norm == NormMode::kLive) build.frozen_stages = options.cut_stage + 1;
  FOVEA_ASSIGN(graph::Graph graph, build_network(spec, build));
  if (options.cut_stage >= 0) {
    const auto value = graph.output("stage/" + std::to_string(options.cut_stage));
    if (!value) return fail(Error::Kind::kUsage, "this network has no stage {}", options.cut_stage);
    const graph::Cut cut{"image", *value};
    graph = graph::cut_inputs(graph, std::span(&cut, 1));
  }
  return graph::compile_for_training(graph, training::precisions_of(options.precision, backend),
                                     training::live_blocks_of(backend),
                                     [&](std::string_view name) { return trained.contains(std::string(name)); });
}

/// What `body` gives, or why memory was short; other failures go on.
template <class Body>
Result<void> where_memory_lasts(std::string& shortage, const Body& body) {
  try {
    return body();
  } catch (const DeviceFailure& failure) {
    if (!failure.out_of_memory()) throw;
    shortage = failure.what();
  } catch (const std::bad_alloc&) {
    shortage = "the memory of this machine is full";
  }
  return {};
}

}  // namespace

Result<FineTuner> FineTuner::create(const Context& context, const Backend& backend, const NetworkSpec& spec,
                                    ParameterSet& parameters, const FineTuneOptions& options) {
  const int members = options.team == nullptr ? 1 : options.team->size();
  if (options.batch % members != 0) {
    return fail(Error::Kind::kUsage, "a batch of {} photos cannot be shared by {} devices evenly: --batch {} can", options.batch,
                members, (options.batch / members + 1) * members);
  }
  FOVEA_ASSIGN(Names trained, trained_names(spec, options));
  FineTuner tuner(context, backend, spec, parameters, options, std::move(trained));
  FOVEA_TRY(tuner.make_state());
  const int rows = tuner.rows();
  const bool whole = options.norm == NormMode::kLive || !backend.memory()->on_host();
  FOVEA_TRY(tuner.set_up(whole ? rows : divisor_of(rows, kMicroBatch)));
  return tuner;
}

FineTuner::FineTuner(const Context& context, const Backend& backend, const NetworkSpec& spec, ParameterSet& parameters,
                     const FineTuneOptions& options, Names trained)
    : context_(context),
      backend_(&backend),
      spec_(spec),
      parameters_(&parameters),
      options_(options),
      trained_(std::move(trained)) {}

/// What takes its memory whatever the batch.
Result<void> FineTuner::make_state() {
  FOVEA_TRY(where_state_fits([&] {
    state_ = make_tuning_state(
        context_, *backend_, *parameters_, options_.optimizer,
        trainable_spans(*parameters_, [this](std::string_view name) { return trained_.contains(std::string(name)); }));
    if (options_.precision == graph::Precision::kFP16) state_->set_loss_scale({});
  }));
  return set_schedule(options_.schedule, options_.ema_decay);
}

template <class Body>
Result<void> FineTuner::where_state_fits(const Body& body) const {
  std::string shortage;
  FOVEA_TRY(where_memory_lasts(shortage, [&]() -> Result<void> {
    body();
    return {};
  }));
  if (shortage.empty()) return {};
  return fail(Error::Kind::kLimit,
              "training: memory does not hold the gradients, moments and average of this network's {} parameters ({}), whatever "
              "the batch; a smaller network (--arch) needs less, and --scope head none of them",
              parameters_->parameter_floats(), shortage);
}

int FineTuner::rows() const { return options_.batch / (options_.team == nullptr ? 1 : options_.team->size()); }

/// Asked beforehand where memory is promised without looking. Of what can be split, what training takes besides counts too; a
/// single photo is always tried.
bool FineTuner::has_room_for(const Plan& plan, int rows) const {
  if (!backend_->memory()->on_host() || rows == 1) return true;
  const auto free = backend_->memory()->free_bytes();
  if (!free) return true;
  constexpr std::size_t kBatches = 4;     // in hand and ahead
  constexpr std::size_t kParameters = 3;  // the best so far, a candidate, the average
  const auto pixels = static_cast<std::size_t>(spec_.height) * static_cast<std::size_t>(spec_.width) * 3;
  const std::size_t batches = kBatches * static_cast<std::size_t>(options_.batch) * pixels * sizeof(float);
  constexpr std::size_t kLooks = std::size_t{64} << 20;  // what looks at validation photos, and those that it keeps
  const std::size_t besides = batches + kParameters * parameters_->all().size_bytes() + kLooks;
  return plan.arena_bytes() + plan.persistent_bytes() + (options_.norm == NormMode::kLive ? 0 : besides) <= *free;
}

Result<std::unique_ptr<Executor>> FineTuner::make_executor(int rows) {
  FOVEA_ASSIGN(graph::Graph graph, training_graph(*backend_, spec_, options_, rows, trained_));
  std::vector<std::string> gradients;
  for (const graph::Graph::Output& output : graph.outputs()) {
    for (const auto& name : trained_) {
      if (output.name == graph::gradient_name(name)) gradients.push_back(output.name);
    }
  }
  // Parts of a batch share one folding of the weights. A device that computes a batch at once folds them in the run that is
  // recorded: so many small kernels would take longer to start than to compute.
  const bool shared = backend_->memory()->on_host() || rows < this->rows();
  FOVEA_ASSIGN(auto plan,
               Plan::make(context_, std::move(graph), *backend_,
                          {.constant_weights = options_.norm == NormMode::kFrozen && shared, .bound_outputs = gradients}));
  if (!has_room_for(*plan, rows)) throw std::bad_alloc();
  auto executor = std::make_unique<Executor>(std::move(plan));
  state_->bind_to(*executor);
  return executor;
}

Result<void> FineTuner::set_up(int rows) {
  executor_.reset();  // the memory that the next one needs
  std::string shortage;
  FOVEA_TRY(where_memory_lasts(shortage, [&]() -> Result<void> {
    FOVEA_ASSIGN(executor_, make_executor(rows));
    return {};
  }));
  if (!shortage.empty()) return split_further(rows, shortage);
  micro_batch_ = rows;
  return {};
}

Result<void> FineTuner::split_further(int rows, std::string_view reason) {
  if (options_.norm == NormMode::kLive) return refuse_split(rows, reason);
  if (rows == 1) {
    return fail(Error::Kind::kLimit,
                "training: memory does not hold a single photo of {} x {} pixels ({}); a smaller --size needs less", spec_.width,
                spec_.height, reason);
  }
  const int fewer = divisor_of(this->rows(), rows / 2);
  split_ = Split{this->rows(), fewer, std::string(reason)};
  return set_up(fewer);
}

/// Halves the rows until their tensors fit, to name a batch.
Result<void> FineTuner::refuse_split(int rows, std::string_view reason) {
  const int members = options_.batch / this->rows();
  std::string shortage = std::string(reason);
  int fits = rows;
  while (!shortage.empty() && fits > 1) {
    fits /= 2;
    shortage.clear();
    executor_.reset();
    FOVEA_TRY(where_memory_lasts(shortage, [&]() -> Result<void> {
      FOVEA_ASSIGN(executor_, make_executor(fits));
      return {};
    }));
  }
  executor_.reset();
  const std::string smaller = shortage.empty() ? fmt::format("try --batch {}, or ", fits * members) : "use ";
  return fail(
      Error::Kind::kLimit,
      "training: memory does not hold a batch of {} photos ({}), and with BatchNorm statistics of each batch it cannot be "
      "split and stay the same; {}--bn frozen, whose batches can",
      options_.batch, reason, smaller);
}

Result<void> FineTuner::set_schedule(const Schedule& schedule, double average_decay) {
  options_.schedule = schedule;
  options_.ema_decay = average_decay;
  if (average_decay <= 0 || state_->has_average()) return {};
  return where_state_fits([&] { state_->begin_average(); });
}

std::span<const float> FineTuner::result() {
  const Buffers buffers = state_->fetch();
  return buffers.average.empty() ? buffers.parameters : buffers.average;
}

/// What is on the device already is bound where it always lies, so that a recording stays good.
void FineTuner::bind_input(const StepBatch& batch, std::size_t first) {
  const auto rows = static_cast<std::size_t>(batch.rows);
  if (batch.resident == nullptr) {
    executor_->bind("image", batch.input.data() + first * (batch.input.size() / rows));
    return;
  }
  if (micro_batch_ == batch.rows) {
    executor_->bind_resident("image", batch.resident);
    return;
  }
  const graph::Graph& graph = executor_->plan().graph();
  const auto floats = static_cast<std::size_t>(graph.shape(*graph.find("image")).elements());
  const std::size_t bytes = floats * sizeof(float), width = floats / static_cast<std::size_t>(micro_batch_);
  if (piece_.size() != bytes) piece_ = DeviceBuffer(backend_->memory(), bytes);
  backend_->memory()->copy(reinterpret_cast<const std::byte*>(batch.resident + first * width), piece_.data(), bytes);
  executor_->bind_resident("image", piece_.f32());
}

double FineTuner::accumulate(const StepBatch& batch, double total, BatchSource* source) {
  const double scale = state_->begin_batch((batch.count + micro_batch_ - 1) / micro_batch_);
  scaled_weights_.assign(batch.weights.begin(), batch.weights.end());
  for (float& weight : scaled_weights_) weight = total > 0 ? static_cast<float>(scale * (weight / total)) : 0.0F;
  const auto rows = static_cast<std::size_t>(batch.rows);
  const std::size_t classes = batch.targets.size() / rows;
  double loss = 0;
  if (executor_->plan().constant_weights()) executor_->prepare_weights();
  for (std::size_t first = 0; first < static_cast<std::size_t>(batch.count); first += static_cast<std::size_t>(micro_batch_)) {
    bind_input(batch, first);
    executor_->bind("targets", const_cast<float*>(batch.targets.data()) + first * classes);  // read only
    executor_->bind("weights", scaled_weights_.data() + first);
    executor_->run({.seed = options_.seed, .step = batches_, .first_row = batch.first_row + static_cast<std::int64_t>(first)});
    if (source != nullptr) source->work_ahead();
    loss += executor_->output("loss").floats()[0];
    state_->add_gradients();
  }
  return loss / scale;
}

/// In smaller pieces if memory is short: the parameters have not moved, so the batch can begin anew.
Result<double> FineTuner::compute(const StepBatch& batch, double total, BatchSource* source) {
  double loss = 0;
  for (;;) {
    std::string shortage;
    FOVEA_TRY(where_memory_lasts(shortage, [&]() -> Result<void> {
      loss = accumulate(batch, total, source);
      return {};
    }));
    if (shortage.empty()) break;
    FOVEA_TRY(split_further(micro_batch_, shortage));
  }
  ++batches_;
  return loss;
}

Result<void> FineTuner::sum_over_team(std::span<double> values) {
  if (options_.team == nullptr) return {};
  std::vector<float> sums(values.begin(), values.end());
  FOVEA_TRY(options_.team->all_reduce_sum(sums));
  std::ranges::copy(sums, values.begin());
  return {};
}

Result<bool> FineTuner::take_step(const StepBatch& batch, BatchSource& source, EpochResult& result) {
  // Padding would count in the batch's own statistics.
  if (options_.norm == NormMode::kLive && (!batch.whole || batch.count < batch.rows)) return false;
  // Of the whole batch: the weight by which it is a mean, and its photos.
  std::array<double, 2> whole{std::accumulate(batch.weights.begin(), batch.weights.end(), 0.0), static_cast<double>(batch.count)};
  FOVEA_TRY(sum_over_team(whole));
  std::array<double, 1> loss{};
  FOVEA_ASSIGN(loss[0], compute(batch, whole[0], &source));
  Communicator* gradient_team = options_.gradient_team != nullptr ? options_.gradient_team : options_.team;
  if (gradient_team != nullptr) FOVEA_TRY(state_->sum_over(*gradient_team));
  FOVEA_TRY(sum_over_team(loss));
  result.lr = options_.schedule.rate(state_->steps());
  const auto photos = static_cast<std::int64_t>(whole[1]);
  result.photos += photos;
  if (state_->scales_loss() && !std::isfinite(loss[0])) {
    result.lost += photos;
  } else {
    result.loss_sum += loss[0] * whole[1];
  }
  state_->update({result.lr, options_.clip_norm, options_.ema_decay});
  return true;
}

Result<EpochResult> FineTuner::run_epoch(BatchSource& source, std::uint32_t epoch, const OnStep& on_step,
                                         const EpochResult& done) {
  const Stopwatch watch;
  EpochResult result = done;
  const double earlier = done.seconds;  // `done` may be what on_step updates
  if (done.batches == 0) result.skipped_before = counters().loss_scale.value_or(LossScale()).skipped;
  source.start_epoch(epoch, done.batches);
  StepBatch batch;
  for (;;) {
    const Stopwatch waiting;
    const Result<bool> more = source.next(batch);
    result.waited += waiting.seconds();
    if (!more && more.error().kind != Error::Kind::kCancelled) return more.error();
    result.finished = more.ok();
    if (!more || !*more) break;
    const Result<bool> stepped = take_step(batch, source, result);
    // Another of the team has stopped.
    if (!stepped && stepped.error().kind == Error::Kind::kCancelled) result.finished = false;
    if (!stepped && result.finished) return stepped.error();
    if (!result.finished) break;
    ++result.batches;
    if (!*stepped) continue;
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
  if (result.finished) FOVEA_TRY(average_statistics());
  result.seconds = earlier + watch.seconds();
  return result;
}

/// Every member has seen other rows, so its stored statistics are its own.
Result<void> FineTuner::average_statistics() {
  if (options_.team == nullptr || options_.norm != NormMode::kLive) return {};
  const Buffers buffers = state_->fetch();
  for (const std::span<float> all : {buffers.parameters, buffers.average}) {
    if (all.empty()) continue;
    const std::span<float> states = all.subspan(parameters_->parameter_floats());
    FOVEA_TRY(options_.team->all_reduce_sum(states));
    for (float& value : states) value /= static_cast<float>(options_.team->size());
  }
  state_->put_back();
  return {};
}

FineTuner::Counters FineTuner::counters() const { return {state_->steps(), batches_, state_->loss_scale()}; }

void FineTuner::set_counters(const Counters& counters) {
  if (counters.loss_scale) state_->set_loss_scale(*counters.loss_scale);
  state_->set_steps(counters.steps);
  batches_ = counters.batches;
}

graph::Precision FineTuner::precision() const { return training::precision_of(executor_->plan().graph()); }

std::size_t FineTuner::bytes() const {
  return executor_->plan().arena_bytes() + executor_->plan().persistent_bytes() + state_->bytes();
}

Result<double> FineTuner::measure_step() {
  const graph::Graph& graph = executor_->plan().graph();
  const auto floats = [&](const char* name) { return static_cast<std::size_t>(graph.shape(*graph.find(name)).elements()); };
  std::vector<float> input(floats("image"), 0.1F);
  std::vector<float> targets(floats("targets"), 0.0F);
  std::vector<float> weights(static_cast<std::size_t>(micro_batch_), 0.0F);
  // Statistics that follow the batch would follow this one too.
  const std::span<float> values = state_->fetch().parameters;
  const std::vector<float> kept(values.begin(), values.end());
  const int rows = micro_batch_;
  const auto resident = resident_copy(*backend_, input);
  if (!resident) {
    FOVEA_TRY(split_further(rows, resident.error().message));
    return measure_step();
  }
  StepBatch batch{input, targets, weights, rows, rows};
  batch.resident = resident->f32();
  // The first touches all memory, the second is written down where a device can replay it.
  for (int before = executor_->plan().recorder() ? 2 : 1; before > 0; --before) FOVEA_TRY(compute(batch, 0, nullptr));
  const Stopwatch watch;
  FOVEA_TRY(compute(batch, 0, nullptr));
  const double seconds = watch.seconds() * this->rows() / rows;
  std::ranges::copy(kept, state_->fetch().parameters.begin());
  state_->put_back();
  batches_ = 0;
  return seconds;
}

}  // namespace fovea::training
