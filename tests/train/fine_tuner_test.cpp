// SPDX-License-Identifier: Apache-2.0
#include "train/fine_tuner.h"

#include <gmock/gmock.h>

#include <cmath>
#include <thread>

#include "backend/registry.h"
#include "communicate/thread_team.h"
#include "core/device_failure.h"
#include "core/error.h"
#include "core/rng.h"
#include "cuda_host/host_backend.h"
#include "model/registry.h"
#include "model/weights.h"
#include "runtime/device.h"
#include "train/tiny_data.h"
#include "train/tuner_team.h"

namespace fovea::training {
namespace {

constexpr int kBatch = 16;
constexpr int kPhotos = 2 * kBatch + 5;  // the last batch has padding

NetworkSpec tiny_spec() {
  NetworkSpec spec = find_architecture("mobilenet_v2_0.35")->spec;
  spec.height = spec.width = 32;
  spec.classes = 3;
  spec.dropout = 0.5F;
  return spec;
}

ParameterSet fresh_parameters(const NetworkSpec& spec) {
  ParameterSet parameters(*build_network(spec));
  initialize_parameters(parameters, 5);
  return parameters;
}

/// Plain descent: rounding stays rounding, while Adam makes whole steps of gradients that are nearly nothing.
FineTuneOptions plain_options() {
  FineTuneOptions options;
  options.batch = kBatch;
  options.optimizer.kind = OptimizerOptions::Kind::kSgd;
  options.schedule = {.peak = 0.05, .steps = 100, .warmup = 1};
  options.ema_decay = 0.9;
  options.seed = 3;
  return options;
}

/// The same random pictures in every epoch, each of another weight; one part of every batch, or all of it.
class RandomBatches final : public BatchSource {
 public:
  explicit RandomBatches(const NetworkSpec& spec, int part = 0, int parts = 1) : rows_(kBatch / parts), first_(part * rows_) {
    const auto pixels = static_cast<std::size_t>(spec.height * spec.width * 3);
    for (int photo = 0; photo < batches() * kBatch; ++photo) {
      if (photo % kBatch < first_ || photo % kBatch >= first_ + rows_) continue;
      Rng rng(9, static_cast<std::uint32_t>(photo));
      for (std::size_t i = 0; i < pixels; ++i) input_.push_back(photo < kPhotos ? rng.uniform(-1, 1) : 0.0F);
      for (int k = 0; k < spec.classes; ++k) targets_.push_back(photo % spec.classes == k ? 1.0F : 0.0F);
      weights_.push_back(photo < kPhotos ? 0.5F + rng.uniform() : 0.0F);
    }
  }
  void fail_at(std::int64_t batch) { failing_ = batch; }
  void start_epoch(std::uint32_t /*epoch*/, std::int64_t first) override { next_ = first; }
  Result<bool> next(StepBatch& batch) override {
    if (next_ == failing_) return fail(Error::Kind::kIo, "the disk is gone");
    if (next_ >= batches()) return false;
    const auto number = static_cast<std::size_t>(next_);
    const auto of = [&](auto& values) {
      const std::size_t size = values.size() / static_cast<std::size_t>(batches());
      return std::span(values).subspan(number * size, size);
    };
    const std::int64_t count = std::clamp<std::int64_t>(kPhotos - next_ * kBatch - first_, 0, rows_);
    batch = {of(input_), of(targets_), of(weights_), rows_, count, first_, (next_ + 1) * kBatch <= kPhotos};
    ++next_;
    return true;
  }
  [[nodiscard]] std::int64_t batches_per_epoch() const override { return batches(); }

 private:
  static std::int64_t batches() { return (kPhotos + kBatch - 1) / kBatch; }
  std::int64_t rows_;
  std::int64_t first_;
  std::int64_t next_ = 0;
  std::int64_t failing_ = -1;
  std::vector<float> input_, targets_, weights_;
};

double made_bytes(const graph::Graph& graph) {
  double bytes = 0;
  for (const graph::Node& node : graph.nodes()) {
    for (const graph::ValueId id : node.outputs) bytes += sizeof(float) * static_cast<double>(graph.shape(id).elements());
  }
  return bytes;
}

/// A backend whose memory holds so many bytes of tensors: it refuses larger graphs when they are planned, or when they run.
class SmallMemory final : public Backend {
 public:
  enum class When { kPlanning, kRunning };
  SmallMemory(double bytes, When when, DeviceFailure::Kind kind = DeviceFailure::Kind::kOutOfMemory)
      : bytes_(bytes), when_(when), kind_(kind) {}

  [[nodiscard]] std::string_view name() const override { return backend_->name(); }
  [[nodiscard]] bool supports(const graph::Graph& graph, const graph::Node& node) const override {
    return backend_->supports(graph, node);
  }
  Result<std::unique_ptr<Kernel>> prepare(const Context& context, const graph::Graph& graph, const graph::Node& node,
                                          bool constant_weights) const override {
    const bool large = made_bytes(graph) > bytes_;
    if (large && when_ == When::kPlanning) throw DeviceFailure(kind_, "4 of 6 GB are free");
    FOVEA_ASSIGN(auto kernel, backend_->prepare(context, graph, node, constant_weights));
    if (!large) return kernel;
    return std::unique_ptr<Kernel>(std::make_unique<Refusing>(std::move(kernel), kind_));
  }

 private:
  class Refusing final : public Kernel {
   public:
    Refusing(std::unique_ptr<Kernel> kernel, DeviceFailure::Kind kind) : kernel_(std::move(kernel)), kind_(kind) {}
    void run(const Arguments& /*arguments*/) const override { throw DeviceFailure(kind_, "4 of 6 GB are free"); }
    void pack(const Arguments& arguments) const override { kernel_->pack(arguments); }
    [[nodiscard]] std::size_t packed_bytes() const override { return kernel_->packed_bytes(); }
    [[nodiscard]] std::size_t scratch_bytes() const override { return kernel_->scratch_bytes(); }
    [[nodiscard]] std::optional<std::size_t> reusable_input() const override { return kernel_->reusable_input(); }
    [[nodiscard]] std::string_view name() const override { return kernel_->name(); }

   private:
    std::unique_ptr<Kernel> kernel_;
    DeviceFailure::Kind kind_;
  };

  std::unique_ptr<Backend> backend_ = make_backend("cpu").value();
  double bytes_;
  When when_;
  DeviceFailure::Kind kind_;
};

/// Bytes of the tensors of a step of so many rows.
double bytes_of_rows(int rows, NormMode norm = NormMode::kFrozen) {
  double most = 0;
  // What is planned first is the largest; a backend that counts tells how large.
  class Counting final : public Backend {
   public:
    explicit Counting(double& bytes) : bytes_(bytes) {}
    [[nodiscard]] std::string_view name() const override { return "counting"; }
    [[nodiscard]] bool supports(const graph::Graph& g, const graph::Node& n) const override { return cpu_->supports(g, n); }
    Result<std::unique_ptr<Kernel>> prepare(const Context& c, const graph::Graph& g, const graph::Node& n,
                                            bool constant) const override {
      bytes_ = made_bytes(g);
      return cpu_->prepare(c, g, n, constant);
    }

   private:
    std::unique_ptr<Backend> cpu_ = make_backend("cpu").value();
    double& bytes_;
  };
  const NetworkSpec spec = tiny_spec();
  ParameterSet parameters = fresh_parameters(spec);
  FineTuneOptions options = plain_options();
  options.batch = rows;
  options.norm = norm;
  const Counting counting(most);
  EXPECT_TRUE(FineTuner::create({}, counting, spec, parameters, options).ok());
  return most;
}

struct Trained {
  std::vector<float> parameters;
  std::vector<float> average;
  EpochResult last;
  std::optional<Split> split;
};

Result<Trained> train_with(const Backend& backend, FineTuneOptions options = plain_options(), int part = 0, int parts = 1) {
  const NetworkSpec spec = tiny_spec();
  ParameterSet parameters = fresh_parameters(spec);
  FOVEA_ASSIGN(FineTuner tuner, FineTuner::create({}, backend, spec, parameters, options));
  RandomBatches source(spec, part, parts);
  Trained trained;
  for (std::uint32_t epoch = 1; epoch <= 2; ++epoch) {
    FOVEA_ASSIGN(trained.last, tuner.run_epoch(source, epoch));
  }
  trained.average.assign(tuner.result().begin(), tuner.result().end());
  trained.parameters.assign(parameters.all().begin(), parameters.all().end());
  trained.split = tuner.split();
  return trained;
}

void expect_alike(std::span<const float> a, std::span<const float> b) {
  ASSERT_EQ(a.size(), b.size());
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = std::max(difference, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    size = std::max(size, std::abs(static_cast<double>(a[i])));
  }
  // Sums of a few thousand terms in another order, over six steps.
  EXPECT_LT(difference, 2e-5 * size);
}

Trained whole() { return train_with(*make_backend("cpu").value()).value(); }

TEST(FineTuner, TrainsAtAll) {
  const Trained trained = whole();
  EXPECT_TRUE(trained.last.finished);
  EXPECT_EQ(trained.last.photos, kPhotos);
  EXPECT_EQ(trained.last.batches, 3);
  EXPECT_GE(trained.last.waited, 0);
  EXPECT_LE(trained.last.waited, trained.last.seconds);
  EXPECT_FALSE(trained.split.has_value());
  const ParameterSet before = fresh_parameters(tiny_spec());
  EXPECT_NE(std::vector<float>(before.all().begin(), before.all().end()), trained.parameters);
}

class ShortMemory : public testing::TestWithParam<SmallMemory::When> {};

TEST_P(ShortMemory, ABatchIsSplitAndTheResultIsTheSame) {
  const Trained expected = whole();
  for (const int rows : {8, 4, 1}) {
    const SmallMemory backend(bytes_of_rows(rows), GetParam());
    const auto trained = train_with(backend);
    ASSERT_TRUE(trained.ok()) << trained.error().message;
    ASSERT_TRUE(trained->split.has_value());
    EXPECT_EQ(trained->split->batch, kBatch);
    EXPECT_EQ(trained->split->rows, rows);
    EXPECT_EQ(trained->split->reason, "4 of 6 GB are free");
    expect_alike(expected.parameters, trained->parameters);
    expect_alike(expected.average, trained->average);
    EXPECT_NEAR(trained->last.loss(), expected.last.loss(), 1e-4);
    EXPECT_EQ(trained->last.photos, kPhotos);
  }
}

TEST_P(ShortMemory, StatisticsOfABatchAreNotSplitBehindAnybodysBack) {
  FineTuneOptions options = plain_options();
  options.norm = NormMode::kLive;
  const SmallMemory backend(bytes_of_rows(8, NormMode::kLive), GetParam());
  const auto trained = train_with(backend, options);
  ASSERT_FALSE(trained.ok());
  EXPECT_EQ(trained.error().kind, Error::Kind::kLimit);
  EXPECT_THAT(trained.error().message, testing::AllOf(testing::HasSubstr("batch of 16"), testing::HasSubstr("4 of 6 GB are free"),
                                                      testing::HasSubstr("--batch 8"), testing::HasSubstr("--bn frozen")));
}

TEST_P(ShortMemory, APhotoThatDoesNotFitIsAnError) {
  const SmallMemory backend(1000, GetParam());
  const auto trained = train_with(backend);
  ASSERT_FALSE(trained.ok());
  EXPECT_EQ(trained.error().kind, Error::Kind::kLimit);
  EXPECT_THAT(trained.error().message, testing::AllOf(testing::HasSubstr("single photo"), testing::HasSubstr("--size")));
}

TEST_P(ShortMemory, ADeviceThatIsLostIsNoMatterOfMemory) {
  const SmallMemory backend(1000, GetParam(), DeviceFailure::Kind::kLost);
  EXPECT_THROW((void)train_with(backend), DeviceFailure);
}

INSTANTIATE_TEST_SUITE_P(When, ShortMemory, testing::Values(SmallMemory::When::kPlanning, SmallMemory::When::kRunning));

TEST(TrainerTeam, PartsOfABatchEachGiveWhatTheWholeBatchGives) {
  const Trained expected = whole();
  for (const int size : {2, 4}) {
    const auto team = make_thread_team(size);
    std::vector<std::optional<Result<Trained>>> results(static_cast<std::size_t>(size));
    std::vector<std::thread> threads;
    for (int rank = 0; rank < size; ++rank) {
      threads.emplace_back([&, rank] {
        FineTuneOptions options = plain_options();
        options.team = team[static_cast<std::size_t>(rank)].get();
        results[static_cast<std::size_t>(rank)] = train_with(*make_backend("cpu").value(), options, rank, size);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& result : results) {
      ASSERT_TRUE(result->ok()) << result->error().message;
      expect_alike(expected.parameters, (*result)->parameters);
      EXPECT_EQ((*result)->parameters, (*results[0])->parameters) << "the members hold the same bits";
      EXPECT_NEAR((*result)->last.loss(), expected.last.loss(), 1e-4);
      EXPECT_EQ((*result)->last.photos, kPhotos);
    }
  }
}

TEST(TrainerTeam, ABatchThatCannotBeSharedIsAnError) {
  const auto team = make_thread_team(3);
  FineTuneOptions options = plain_options();
  options.team = team[0].get();
  const auto trained = train_with(*make_backend("cpu").value(), options);
  ASSERT_FALSE(trained.ok());
  EXPECT_EQ(trained.error().kind, Error::Kind::kUsage);
  EXPECT_THAT(trained.error().message, testing::HasSubstr("--batch 18"));
}

struct TeamRun {
  std::vector<Device> devices;
  ParameterSet parameters = fresh_parameters(tiny_spec());
  std::vector<std::unique_ptr<RandomBatches>> batches;
  std::vector<BatchSource*> sources;
  std::vector<const Device*> pointers;

  explicit TeamRun(int size) : devices(open_devices("cpu:" + std::to_string(size)).value()) {
    for (int part = 0; part < size; ++part) {
      sources.push_back(batches.emplace_back(std::make_unique<RandomBatches>(tiny_spec(), part, size)).get());
      pointers.push_back(&devices[static_cast<std::size_t>(part)]);
    }
  }
  Result<TunerTeam> make(const FineTuneOptions& options) {
    return TunerTeam::create({}, pointers, tiny_spec(), parameters, options);
  }
};

TEST(TrainerTeam, DevicesThatShareABatchTrainLikeOne) {
  const Trained expected = whole();
  TeamRun run(2);
  auto team = run.make(plain_options());
  ASSERT_TRUE(team.ok()) << team.error().message;
  int steps = 0;
  const auto on_step = [&](const EpochResult& /*done*/) -> Result<bool> { return ++steps > 0; };
  for (std::uint32_t epoch = 1; epoch <= 2; ++epoch) {
    const auto result = team->run_epoch(run.sources, epoch, on_step, {});
    ASSERT_TRUE(result.ok() && result->finished);
    EXPECT_EQ(result->photos, kPhotos);
  }
  EXPECT_EQ(steps, 6);
  expect_alike(expected.parameters, run.parameters.all());
  expect_alike(expected.average, team->first().result());
}

TEST(TrainerTeam, OneThatFailsOrStopsEndsTheEpochForAll) {
  for (const std::size_t failing : {std::size_t{0}, std::size_t{1}}) {
    TeamRun run(2);
    auto team = run.make(plain_options());
    run.batches[failing]->fail_at(1);
    const auto result = team->run_epoch(run.sources, 1, {}, {});
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().message, "the disk is gone");
  }
  TeamRun run(2);
  auto team = run.make(plain_options());
  const auto stopped = team->run_epoch(run.sources, 1, [](const EpochResult&) -> Result<bool> { return false; }, {});
  ASSERT_TRUE(stopped.ok()) << stopped.error().message;
  EXPECT_FALSE(stopped->finished);
  EXPECT_EQ(stopped->batches, 1);
}

TEST(TrainerTeam, StoredStatisticsAreTheMeanOfAllMembers) {
  FineTuneOptions options = plain_options();
  options.norm = NormMode::kLive;
  TeamRun run(2);
  auto team = run.make(options);
  ASSERT_TRUE(team.ok()) << team.error().message;
  const auto result = team->run_epoch(run.sources, 1, {}, {});
  ASSERT_TRUE(result.ok() && result->finished);
  EXPECT_EQ(result->photos, 2 * kBatch) << "a batch with padding is left out";
  for (const float value : run.parameters.all()) ASSERT_TRUE(std::isfinite(value));
}

/// On memory that is not the host's, with the CUDA backend's own kernels run by the host.
TEST(DeviceTraining, BuffersThatStayOnADeviceGiveWhatTheHostGives) {
  for (const auto kind : {OptimizerOptions::Kind::kSgd, OptimizerOptions::Kind::kAdamW}) {
    FineTuneOptions options = plain_options();
    options.optimizer.kind = kind;
    // Adam makes whole steps of gradients that are nearly nothing: small ones, so that rounding stays small.
    if (kind == OptimizerOptions::Kind::kAdamW) options.schedule.peak = 1e-5;
    const auto expected = train_with(*make_backend("cpu").value(), options);
    const auto device = test::make_cuda_host_backend();
    ASSERT_NE(device->training(), nullptr);
    ASSERT_FALSE(device->memory()->on_host());
    const auto trained = train_with(*device, options);
    ASSERT_TRUE(trained.ok()) << trained.error().message;
    EXPECT_FALSE(trained->split.has_value()) << "a device takes the batch whole";
    expect_alike(expected->parameters, trained->parameters);
    expect_alike(expected->average, trained->average);
    EXPECT_NEAR(trained->last.loss(), expected->last.loss(), 1e-4);
  }
}

TEST(DeviceTraining, WhatIsFetchedAndPutBackGoesOnAlike) {
  const auto device = test::make_cuda_host_backend();
  const NetworkSpec spec = tiny_spec();
  const FineTuneOptions options = plain_options();
  std::vector<std::vector<float>> ends;
  for (const bool interrupted : {false, true}) {
    ParameterSet parameters = fresh_parameters(spec);
    auto tuner = FineTuner::create({}, *device, spec, parameters, options);
    ASSERT_TRUE(tuner.ok()) << tuner.error().message;
    RandomBatches source(spec);
    ASSERT_TRUE(tuner->run_epoch(source, 1).ok());
    if (interrupted) {
      const FineTuner::Buffers from = tuner->buffers();
      ParameterSet others = fresh_parameters(spec);
      auto next = FineTuner::create({}, *device, spec, others, options);
      const FineTuner::Buffers to = next->buffers();
      std::ranges::copy(from.parameters, to.parameters.begin());
      std::ranges::copy(from.first, to.first.begin());
      std::ranges::copy(from.second, to.second.begin());
      std::ranges::copy(from.average, to.average.begin());
      next->put_back();
      next->set_counters(tuner->counters());
      ASSERT_TRUE(next->run_epoch(source, 2).ok());
      ends.emplace_back(next->result().begin(), next->result().end());
    } else {
      ASSERT_TRUE(tuner->run_epoch(source, 2).ok());
      ends.emplace_back(tuner->result().begin(), tuner->result().end());
    }
  }
  EXPECT_EQ(ends[0], ends[1]);
}

/// Memory that really refuses.
TEST(DeviceTraining, ShortDeviceMemorySplitsTheBatch) {
  const Trained expected = whole();
  const NetworkSpec spec = tiny_spec();
  const auto taken_by = [&](int batch) {
    ParameterSet parameters = fresh_parameters(spec);
    const auto device = test::make_cuda_host_backend();
    const std::uint64_t before = *device->memory()->free_bytes();
    FineTuneOptions options = plain_options();
    options.batch = batch;
    const FineTuner tuner = FineTuner::create({}, *device, spec, parameters, options).value();
    return before - *device->memory()->free_bytes();
  };
  // Parameters and moments fit whatever the batch; the activations of all of it do not.
  test::HostBackendOptions small;
  small.memory_bytes = (taken_by(kBatch / 4) + taken_by(kBatch)) / 2;
  const auto device = test::make_cuda_host_backend(small);
  const auto trained = train_with(*device);
  ASSERT_TRUE(trained.ok()) << trained.error().message;
  ASSERT_TRUE(trained->split.has_value());
  EXPECT_LT(trained->split->rows, kBatch);
  expect_alike(expected.parameters, trained->parameters);
}

/// Values and gradients fit, and moments or the average do not: an error with a name, whenever they are asked for.
TEST(DeviceTraining, BuffersOfTheOptimiserThatDoNotFitAreAnError) {
  const NetworkSpec spec = tiny_spec();
  for (const double copies : {0.5, 2.5, 4.5}) {
    ParameterSet parameters = fresh_parameters(spec);
    test::HostBackendOptions small;
    small.memory_bytes = static_cast<std::size_t>(copies * static_cast<double>(parameters.all().size_bytes()));
    const auto device = test::make_cuda_host_backend(small);
    FineTuneOptions options = plain_options();
    options.optimizer.kind = OptimizerOptions::Kind::kAdamW;
    const auto tuner = FineTuner::create({}, *device, spec, parameters, options);
    ASSERT_FALSE(tuner.ok());
    EXPECT_EQ(tuner.error().kind, Error::Kind::kLimit);
    EXPECT_THAT(tuner.error().message, testing::AllOf(testing::HasSubstr("moments"), testing::HasSubstr("--scope head")));
    EXPECT_EQ(*device->memory()->free_bytes(), small.memory_bytes) << "what was taken is given back";
  }
}

TEST(DeviceTraining, AnAverageThatDoesNotFitIsAnError) {
  const NetworkSpec spec = tiny_spec();
  FineTuneOptions options = plain_options();
  options.ema_decay = 0;
  const auto taken = [&] {
    ParameterSet parameters = fresh_parameters(spec);
    const auto device = test::make_cuda_host_backend();
    const std::uint64_t before = *device->memory()->free_bytes();
    const FineTuner tuner = FineTuner::create({}, *device, spec, parameters, options).value();
    return before - *device->memory()->free_bytes();
  }();
  ParameterSet parameters = fresh_parameters(spec);
  test::HostBackendOptions small;
  small.memory_bytes = taken + parameters.all().size_bytes() / 2;
  const auto device = test::make_cuda_host_backend(small);
  auto tuner = FineTuner::create({}, *device, spec, parameters, options);
  ASSERT_TRUE(tuner.ok()) << tuner.error().message;
  EXPECT_FALSE(tuner->split().has_value());
  const auto set = tuner->set_schedule(options.schedule, 0.9);
  ASSERT_FALSE(set.ok());
  EXPECT_EQ(set.error().kind, Error::Kind::kLimit);
}

/// The whole way from --device on.
TEST(TrainerTeam, ARunOnTwoTrainersEndsLikeARunOnOne) {
  std::vector<TrainReport> reports;
  for (const char* device : {"cpu", "cpu:2"}) {
    const test::TemporaryFolder folder;
    TrainOptions options = test::prepare_tiny_run(folder);
    options.scope = Scope::kFull;
    options.batchnorm = BatchNormMode::kFrozen;
    options.lr = 1e-4;
    options.optimizer = OptimizerKind::kSgd;
    options.device = device;
    const auto report = train(options);
    ASSERT_TRUE(report.ok()) << report.error().message;
    reports.push_back(*report);
  }
  ASSERT_EQ(reports[0].epochs.size(), reports[1].epochs.size());
  for (std::size_t i = 0; i < reports[0].epochs.size(); ++i) {
    EXPECT_NEAR(reports[0].epochs[i].train_loss, reports[1].epochs[i].train_loss, 1e-3);
    EXPECT_NEAR(reports[0].epochs[i].val_loss, reports[1].epochs[i].val_loss, 1e-3);
  }
}

}  // namespace
}  // namespace fovea::training
