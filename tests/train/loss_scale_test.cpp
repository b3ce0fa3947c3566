// Fine-tuning in fp16: the loss's scale, steps that overflow, and what a resumed run makes of them.
// SPDX-License-Identifier: Apache-2.0
#include "backend/loss_scale.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>

#include "backend/registry.h"
#include "cuda_host/host_backend.h"
#include "train/fine_tuner.h"
#include "train/tiny_data.h"
#include "train/tiny_tuning.h"
#include "train/training_run.h"

namespace fovea::training {
namespace {

FineTuneOptions fp16_options(NormMode norm = NormMode::kFrozen) {
  FineTuneOptions options = plain_options();
  options.precision = graph::Precision::kFP16;
  options.norm = norm;
  return options;
}

/// By definition, and by the GPU's kernels.
class Fp16Training : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { backend_ = test::make_any_backend(GetParam()).value(); }

  Result<FineTuner> tuner(const FineTuneOptions& options, ParameterSet& parameters) {
    return FineTuner::create({}, *backend_, spec_, parameters, options);
  }

  const NetworkSpec spec_ = tiny_spec();
  std::unique_ptr<Backend> backend_;
};

std::vector<std::vector<float>> copy_of(const FineTuner::Buffers& buffers) {
  std::vector<std::vector<float>> copies;
  for (const std::span<float> buffer : {buffers.parameters, buffers.first, buffers.second, buffers.average})
    copies.emplace_back(buffer.begin(), buffer.end());
  return copies;
}

/// So large that the first steps overflow.
constexpr LossScale kTooLarge{LossScale::kMost, 5, 0};

TEST_P(Fp16Training, AStepThatOverflowsMovesNothingAndTheRunGoesOn) {
  for (const NormMode norm : {NormMode::kFrozen, NormMode::kLive}) {
    ParameterSet parameters = fresh_parameters(spec_);
    auto tuner = this->tuner(fp16_options(norm), parameters);
    ASSERT_TRUE(tuner.ok()) << tuner.error().message;
    ASSERT_EQ(tuner->precision(), graph::Precision::kFP16);
    ASSERT_TRUE(tuner->set_schedule(plain_options().schedule, 0.9).ok());
    tuner->set_counters({0, 0, kTooLarge});
    auto before = copy_of(tuner->buffers());
    RandomBatches source(spec_);
    LossScale last = kTooLarge;
    std::int64_t good = 0;
    const auto on_step = [&](const EpochResult&) -> Result<bool> {
      auto now = copy_of(tuner->buffers());
      const LossScale scale = *tuner->counters().loss_scale;
      if (scale.skipped > last.skipped) {
        EXPECT_EQ(now, before) << "values, running statistics, moments and average stay";
        EXPECT_EQ(scale, (LossScale{last.scale / 2, 0, last.skipped + 1}));
      } else {
        ++good;
        EXPECT_NE(now[0], before[0]);
        EXPECT_EQ(scale, (LossScale{last.scale, last.good + 1, last.skipped}));
      }
      before = std::move(now);
      last = scale;
      return true;
    };
    EpochResult result;
    for (std::uint32_t epoch = 1; epoch <= 12 && good < 3; ++epoch) {
      const auto ran = tuner->run_epoch(source, epoch, on_step);
      ASSERT_TRUE(ran.ok()) << ran.error().message;
      result = *ran;
      EXPECT_TRUE(std::isfinite(result.loss())) << "the loss itself does not overflow";
    }
    EXPECT_GE(last.skipped, 1);
    EXPECT_GE(good, 3);
    EXPECT_EQ(tuner->counters().steps, good + last.skipped) << "a schedule goes by all steps";
    for (const float value : tuner->result()) ASSERT_TRUE(std::isfinite(value));
  }
}

/// Adam's first step is of the rate's length for each value: a step that was left out does not count as one.
TEST_P(Fp16Training, TheOptimiserCountsTheStepsThatItTook) {
  ParameterSet parameters = fresh_parameters(spec_);
  FineTuneOptions options = fp16_options();
  options.optimizer = {.kind = OptimizerOptions::Kind::kAdamW, .weight_decay = 0};
  options.schedule = {.peak = 1e-3, .steps = 100, .warmup = 1};
  options.ema_decay = 0;
  auto tuner = this->tuner(options, parameters);
  ASSERT_TRUE(tuner.ok()) << tuner.error().message;
  tuner->set_counters({0, 0, kTooLarge});
  const auto before = copy_of(tuner->buffers())[0];
  RandomBatches source(spec_);
  double rate = 0;
  const auto until_one_is_good = [&](const EpochResult& so_far) -> Result<bool> {
    rate = so_far.lr;
    return tuner->counters().loss_scale->good == 0;
  };
  for (std::uint32_t epoch = 1; epoch <= 8 && tuner->counters().loss_scale->good != 1; ++epoch)
    ASSERT_TRUE(tuner->run_epoch(source, epoch, until_one_is_good).ok());
  ASSERT_EQ(tuner->counters().loss_scale->good, 1);
  ASSERT_GE(tuner->counters().loss_scale->skipped, 1);
  const auto after = copy_of(tuner->buffers())[0];
  double most = 0;
  for (std::size_t i = 0; i < before.size(); ++i) most = std::max(most, std::abs(static_cast<double>(after[i] - before[i])));
  EXPECT_NEAR(most, rate, 0.02 * rate);
}

TEST_P(Fp16Training, WhatIsKeptAndPutBackGoesOnAlike) {
  std::vector<std::vector<std::vector<float>>> ends;
  std::vector<LossScale> scales;
  for (const bool interrupted : {false, true}) {
    ParameterSet parameters = fresh_parameters(spec_), others = fresh_parameters(spec_);
    auto first = tuner(fp16_options(NormMode::kLive), parameters);
    ASSERT_TRUE(first.ok()) << first.error().message;
    first->set_counters({0, 0, kTooLarge});
    RandomBatches source(spec_);
    const auto stop = [&](const EpochResult&) -> Result<bool> { return !interrupted; };
    const auto begun = first->run_epoch(source, 1, stop);
    ASSERT_TRUE(begun.ok());
    EXPECT_GE(first->counters().loss_scale->skipped, 1) << "it is stopped behind a step that was left out";
    auto second = tuner(fp16_options(NormMode::kLive), others);
    FineTuner& last = interrupted ? *second : *first;
    if (interrupted) {
      const FineTuner::Buffers from = first->buffers(), to = second->buffers();
      std::ranges::copy(from.parameters, to.parameters.begin());
      std::ranges::copy(from.first, to.first.begin());
      std::ranges::copy(from.second, to.second.begin());
      std::ranges::copy(from.average, to.average.begin());
      second->put_back();
      second->set_counters(first->counters());
      ASSERT_TRUE(second->run_epoch(source, 1, {}, *begun).ok());
    }
    for (std::uint32_t epoch = 2; epoch <= 4; ++epoch) ASSERT_TRUE(last.run_epoch(source, epoch).ok());
    ends.push_back(copy_of(last.buffers()));
    scales.push_back(*last.counters().loss_scale);
  }
  EXPECT_EQ(ends[0], ends[1]);
  EXPECT_EQ(scales[0], scales[1]);
}

/// To what networks so small leave of rounding: the gradient of each activation that it carries over a kink.
TEST_P(Fp16Training, TrainsAsFloatsDo) {
  const auto losses = [&](graph::Precision precision) {
    FineTuneOptions options = fp16_options();
    options.precision = precision;
    ParameterSet parameters = fresh_parameters(spec_);
    auto tuner = this->tuner(options, parameters).value();
    RandomBatches source(spec_);
    std::vector<double> made;
    for (std::uint32_t epoch = 1; epoch <= 2; ++epoch) made.push_back(tuner.run_epoch(source, epoch)->loss());
    EXPECT_EQ(tuner.counters().loss_scale.has_value(), precision == graph::Precision::kFP16);
    return made;
  };
  const auto floats = losses(graph::Precision::kF32), halves = losses(graph::Precision::kFP16);
  EXPECT_NE(floats, halves);
  for (std::size_t i = 0; i < floats.size(); ++i) EXPECT_NEAR(halves[i], floats[i], 2e-2 * floats[i]);
}

std::string test_name(const testing::TestParamInfo<std::string>& test) {
  return test.param == "reference" ? "reference" : "cuda_host";
}
INSTANTIATE_TEST_SUITE_P(Backend, Fp16Training, testing::Values("reference", "cuda-host"), test_name);

/// A whole run, from photos to the model, on the GPU's kernels.
class Fp16Run : public testing::Test {
 protected:
  class Listener final : public TrainObserver {
   public:
    void on_epoch(const EpochReport& epoch) override { epochs.push_back(epoch); }
    void on_progress(const Progress& progress) override {
      if (progress.stage == "full" && --left == 0) stop = true;
    }
    void on_note(std::string_view text) override { said += std::string(text) + "\n"; }
    void on_warning(std::string_view text) override { said += std::string(text) + "\n"; }
    std::vector<EpochReport> epochs;
    std::string said;
    int left = 0;
    std::atomic<bool> stop{false};
  };
  void SetUp() override {
    options_ = test::prepare_tiny_run(folder_);
    // A layer that makes gradients so large that the first scale is too large for them.
    test::write_tiny_weights(folder_ / "weights.safetensors", [](ParameterSet& parameters) {
      for (float& value : parameters.values(*parameters.find("features.18.1.weight"))) value *= 2048;
    });
    options_.scope = Scope::kFull;
    options_.batchnorm = BatchNormMode::kFrozen;
    options_.lr = 1e-4;
    options_.epochs = 3;
    options_.checkpoint_interval_s = 0;
    options_.precision = PrecisionChoice::kFp16;
  }
  Result<TrainReport> train(Listener& listener, int stop_after = 0) {
    options_.stop = &listener.stop;
    listener.left = stop_after;
    std::vector<Device> devices;
    devices.push_back(Device{"cuda:0", "the proof of its kernels", test::make_cuda_host_backend()});
    return TrainingRun(options_, &listener, std::move(devices)).run();
  }
  std::pair<std::string, std::string> result() const {
    return {test::bytes_of(folder_ / "model.safetensors"), test::bytes_of(folder_ / "model.run" / "metrics.jsonl")};
  }
  test::TemporaryFolder folder_;
  TrainOptions options_;
};

TEST_F(Fp16Run, TellsWhatItLeftOutAndResumesToTheSameBytes) {
  Listener whole;
  const auto report = train(whole);
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_EQ(whole.epochs.size(), 3U);
  std::int64_t skipped = 0;
  for (const EpochReport& epoch : whole.epochs) {
    ASSERT_TRUE(epoch.loss_scale.has_value());
    skipped += epoch.skipped_steps;
  }
  EXPECT_GE(skipped, 1);
  EXPECT_EQ(*whole.epochs.back().loss_scale, std::ldexp(0x1p16, -static_cast<int>(skipped)));
  EXPECT_EQ(whole.epochs.back().skipped_steps, 0) << "found by then";
  EXPECT_THAT(whole.said, testing::HasSubstr("steps of epoch 1 overflowed and moved nothing; the loss is now multiplied by"));
  const auto expected = result();
  EXPECT_THAT(expected.second,
              testing::HasSubstr(fmt::format("\"loss_scale\":{:.1f},\"skipped_steps\":0", *whole.epochs[2].loss_scale)));
  for (const int after : {1, 5}) {
    Listener first, second;
    options_.resume = false;
    (void)train(first, after);
    ASSERT_TRUE(first.stop);
    options_.resume = true;
    ASSERT_TRUE(train(second).ok());
    EXPECT_EQ(result(), expected) << "stopped after " << after;
  }
}

}  // namespace
}  // namespace fovea::training
