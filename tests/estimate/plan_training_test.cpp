// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "backend/registry.h"
#include "core/file.h"
#include "estimate/load.h"
#include "estimate/probe.h"
#include "fovea/plan.h"
#include "model/published_accuracy.h"
#include "train/precision.h"
#include "train/tiny_data.h"

namespace fovea::estimate {
namespace {

TrainingPlanOptions tiny_plan(const test::TemporaryFolder& folder) {
  TrainingPlanOptions options;
  options.run = test::prepare_tiny_run(folder);
  options.run.scope = Scope::kFull;
  options.archs = {"mobilenet_v2_0.35"};
  options.seconds_per_network = 0.05;
  options.run.device = "cpu";
  return options;
}

TEST(PlanTraining, MeasuresEveryNetworkThatWasAskedFor) {
  const test::TemporaryFolder folder;
  TrainingPlanOptions options = tiny_plan(folder);
  options.archs.emplace_back("mobilenet_v2_0.5");
  int told = 0;
  const auto plan = plan_training(options, [&](const NetworkPlan&) { ++told; });
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->train_photos, 24);
  EXPECT_EQ(plan->val_photos, 12);
  EXPECT_EQ(plan->epochs, 2);
  EXPECT_EQ(told, 2);
  ASSERT_EQ(plan->networks.size(), 2U);
  for (const NetworkPlan& network : plan->networks) {
    EXPECT_EQ(network.not_measured, "");
    EXPECT_EQ(network.size, 32);
    EXPECT_TRUE(network.weights_here);
    EXPECT_GT(network.features.seconds, 0);
    EXPECT_GT(network.first_model.seconds, network.features.seconds);
    EXPECT_GT(network.head.seconds, network.first_model.seconds);
    EXPECT_GT(network.whole.seconds, network.head.seconds + 2 * network.epoch.seconds - 1e-9);
    EXPECT_GT(network.epoch.processor_seconds, 0);
    EXPECT_GT(network.memory, 4 * network.parameters);
  }
  EXPECT_LT(plan->networks[0].parameters, plan->networks[1].parameters);
  EXPECT_TRUE(plan->pick.has_value());
  // Nothing is left behind.
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "cache")) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("plan-")) << entry.path();
  }
}

TEST(PlanTraining, WithoutASizeALargerOneIsPlannedToo) {
  const test::TemporaryFolder folder;
  TrainingPlanOptions options = tiny_plan(folder);
  options.run.size.reset();
  options.run.scope = Scope::kHead;
  const auto plan = plan_training(options);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  ASSERT_EQ(plan->networks.size(), 2U);
  EXPECT_EQ(plan->networks[0].size, 224);
  EXPECT_FALSE(plan->networks[0].usual_size);
  EXPECT_EQ(plan->networks[1].size, 288);
  EXPECT_EQ(plan->networks[1].usual_size, 224);
  EXPECT_EQ(plan->networks[1].advice, Advice::kIfLarger);
  EXPECT_EQ(plan->pick, 0U);
  EXPECT_EQ(plan->networks[1].first_model.seconds, plan->networks[0].first_model.seconds);
}

TEST(PlanTraining, TheLastLayerAloneNeedsNoSteps) {
  const test::TemporaryFolder folder;
  TrainingPlanOptions options = tiny_plan(folder);
  options.run.scope = Scope::kHead;
  const auto plan = plan_training(options);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->epochs, 0);
  EXPECT_EQ(plan->networks[0].steps_per_second, 0);
  EXPECT_EQ(plan->networks[0].whole.seconds, plan->networks[0].head.seconds);
}

TEST(PlanTraining, SaysWhichPrecisionItReckonedWithAndWhy) {
  const test::TemporaryFolder folder;
  TrainingPlanOptions options = tiny_plan(folder);
  options.run.precision = PrecisionChoice::kFp32;
  auto plan = plan_training(options);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->networks[0].precision, "fp32");
  EXPECT_EQ(plan->networks[0].precision_reason, "");
  options.run.precision = PrecisionChoice::kAuto;
  plan = plan_training(options);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  const auto cpu = make_backend("cpu");
  ASSERT_TRUE(cpu.ok());
  EXPECT_EQ(plan->networks[0].precision, graph::name_of(*training::choose_precision(PrecisionChoice::kAuto, **cpu)));
  EXPECT_NE(plan->networks[0].precision_reason, "");
  options.run.scope = Scope::kHead;
  plan = plan_training(options);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->networks[0].precision, "") << "nothing is fine-tuned";
}

TEST(PlanTraining, APrecisionThatNoDeviceHasIsTrainingsOwnError) {
  const test::TemporaryFolder folder;
  TrainingPlanOptions options = tiny_plan(folder);
  options.run.precision = PrecisionChoice::kFp16;
  for (const char* device : {"cpu", "auto"}) {
    options.run.device = device;
    const auto plan = plan_training(options);
    if (plan.ok()) continue;  // a GPU
    EXPECT_EQ(plan.error().kind, Error::Kind::kUnsupported);
    EXPECT_TRUE(plan.error().message.starts_with("precision fp16: the cpu device")) << plan.error().message;
  }
  options.run.device = "cpu";
  EXPECT_FALSE(plan_training(options).ok());
  options.gpus = {"T4"};
  options.run.precision = PrecisionChoice::kTf32;
  const auto estimate = plan_training(options);
  ASSERT_FALSE(estimate.ok());
  EXPECT_TRUE(estimate.error().message.starts_with("precision tf32: the T4 device")) << estimate.error().message;
}

TEST(PlanTraining, WhatCannotBeIsAnErrorOfItsOwn) {
  const test::TemporaryFolder folder;
  TrainingPlanOptions options = tiny_plan(folder);
  options.archs = {"resnet_9000"};
  auto plan = plan_training(options);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().kind, Error::Kind::kNotFound);
  options = tiny_plan(folder);
  options.run.device = "quantum";
  plan = plan_training(options);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().kind, Error::Kind::kUsage);
  options = tiny_plan(folder);
  const std::atomic<bool> stop = true;
  options.run.stop = &stop;
  plan = plan_training(options);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().kind, Error::Kind::kCancelled);
}

TEST(PlanTraining, WhatIsKnownWhenItIsStoppedIsKept) {
  const test::TemporaryFolder folder;
  TrainingPlanOptions options = tiny_plan(folder);
  options.archs.emplace_back("mobilenet_v2_0.5");
  std::atomic<bool> stop = false;
  options.run.stop = &stop;
  const auto plan = plan_training(options, [&](const NetworkPlan&) { stop = true; });
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_TRUE(plan->stopped);
  EXPECT_EQ(plan->networks.size(), 1U);
  EXPECT_EQ(plan->pick, 0U);
}

TEST(PlanTraining, PhotosThatCannotBeReadAreTold) {
  const test::TemporaryFolder folder;
  TrainingPlanOptions options = tiny_plan(folder);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "data")) {
    if (entry.is_regular_file()) test::text_file(entry.path(), "no picture");
  }
  const auto plan = plan_training(options);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().kind, Error::Kind::kFormat);
}

TEST(Spread, TakesEvenlyAndNeverTwice) {
  std::vector<Sample> samples;
  for (int n = 0; n < 10; ++n) samples.push_back({std::to_string(n), {0}});
  const auto five = spread_samples(samples, 5);
  ASSERT_EQ(five.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(five[i].path, samples[2 * i].path);
  EXPECT_EQ(spread_samples(samples, 99).size(), 10U);
}

TEST(LoadWatch, IsAShare) {
  const LoadWatch watch;
  const double share = watch.taken_by_others();
  EXPECT_GE(share, 0);
  EXPECT_LE(share, 1);
}

TEST(PublishedAccuracy, OfTheNetworksThatHaveWeights) {
  for (const std::string& name : architecture_names()) {
    EXPECT_TRUE(published_accuracy(find_architecture(name)->spec).has_value()) << name;
  }
  EXPECT_FALSE(published_accuracy(find_architecture("mobilenet_v2_0.6")->spec).has_value());
}

}  // namespace
}  // namespace fovea::estimate
