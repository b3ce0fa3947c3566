// SPDX-License-Identifier: Apache-2.0
#include "train/tuner_team.h"

#include <gmock/gmock.h>

#include <thread>

#include "communicate/thread_team.h"
#include "runtime/device.h"
#include "train/tiny_data.h"
#include "train/tiny_tuning.h"

namespace fovea::training {
namespace {

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
