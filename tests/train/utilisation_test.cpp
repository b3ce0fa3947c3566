// SPDX-License-Identifier: Apache-2.0
#include "train/utilisation.h"

#include <gmock/gmock.h>

#include "data/photos.h"
#include "train/batch_source.h"
#include "train/tiny_data.h"

namespace fovea::training {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

EpochReport epoch(int number, double speed, double waiting) {
  EpochReport report;
  report.stage = "full";
  report.epoch = number;
  report.images_per_second = speed;
  report.wait_share = waiting;
  return report;
}

TrainReport run_of(std::vector<EpochReport> epochs) {
  TrainReport report;
  report.train_photos = 1000;
  report.epochs = std::move(epochs);
  return report;
}

TEST(Utilisation, IsOfTheTimeAndLeavesOutTheEpochThatFillsTheCache) {
  const auto sum = utilisation_of(run_of({epoch(1, 5, 0.9), epoch(2, 10, 0.4), epoch(3, 40, 0)}), {});
  ASSERT_TRUE(sum.has_value());
  // 100 s, of which 40 waited, and 25 s: 2000 photos in 125 s.
  EXPECT_NEAR(sum->images_per_second, 16, 1e-9);
  EXPECT_NEAR(sum->wait_share, 0.32, 1e-9);
  EXPECT_NEAR(sum->seconds, 125, 1e-9);
  EXPECT_FALSE(sum->device_busy.has_value());
  EXPECT_FALSE(utilisation_of(run_of({}), {}).has_value());
}

TEST(Utilisation, ABusyShareIsToldWhereEveryEpochHasOne) {
  auto report = run_of({epoch(2, 10, 0), epoch(3, 10, 0)});
  report.epochs[0].device_busy = 0.5;
  EXPECT_FALSE(utilisation_of(report, {})->device_busy.has_value());
  report.epochs[1].device_busy = 0.9;
  EXPECT_NEAR(*utilisation_of(report, {})->device_busy, 0.7, 1e-9);
}

TEST(Utilisation, WhatIsCalledOutAndWhatIsNot) {
  EXPECT_THAT(remedy_for(kMostWaiting, 1000, false, {}), IsEmpty());
  EXPECT_THAT(remedy_for(0.9, 1, false, {}), IsEmpty()) << "a second is not worth a word";
  EXPECT_THAT(remedy_for(0.2, 1000, false, {}), Not(IsEmpty()));
}

TEST(Utilisation, TheRemedyIsThatOfTheCause) {
  EXPECT_THAT(remedy_for(0.5, 1000, false, {2, 2, true, "the cache is full"}),
              testing::AllOf(HasSubstr("the GPU stood idle"), HasSubstr("50 %"), HasSubstr("the cache is full"),
                             HasSubstr("smaller copies"), Not(HasSubstr("--threads"))));
  EXPECT_THAT(remedy_for(0.5, 1000, true, {2, 2, false, ""}), HasSubstr("first epoch"));
  EXPECT_THAT(remedy_for(0.5, 1000, false, {1, 8, false, ""}),
              testing::AllOf(HasSubstr("--augment light"), HasSubstr("--threads 8")));
}

/// What a run of fine-tuning says at its end.
TEST(Utilisation, OfARunIsInItsReportAndItsTimings) {
  const test::TemporaryFolder folder;
  TrainOptions options = test::prepare_tiny_run(folder);
  options.scope = Scope::kFull;
  const auto report = train(options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_TRUE(report->utilisation.has_value());
  EXPECT_GT(report->utilisation->images_per_second, 0);
  EXPECT_GE(report->utilisation->wait_share, 0);
  EXPECT_LT(report->utilisation->wait_share, 1);
  for (const EpochReport& epoch : report->epochs) EXPECT_LT(epoch.wait_share, 1);
  EXPECT_THAT(test::bytes_of(report->run_folder / "timing.jsonl"), HasSubstr("\"utilisation\""));
  EXPECT_THAT(test::bytes_of(report->html), HasSubstr("Waiting for photos"));
}

}  // namespace
}  // namespace fovea::training
