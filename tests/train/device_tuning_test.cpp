// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "cuda_host/host_backend.h"
#include "train/tiny_tuning.h"

namespace fovea::training {
namespace {

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

}  // namespace
}  // namespace fovea::training
