// Images that a device makes of photos' bytes are those that the host makes, bit for bit.
// SPDX-License-Identifier: Apache-2.0
#include "train/device_batches.h"

#include <gmock/gmock.h>

#include <atomic>
#include <map>

#include "core/error.h"
#include "cuda_host/host_backend.h"
#include "data/photos.h"
#include "model/registry.h"
#include "model/weights.h"
#include "train/fine_tuner.h"

namespace fovea::training {
namespace {

constexpr int kPhotos = 11;  // two batches of four, one with padding
constexpr int kUnreadable = 6;

/// Photos of many shapes; one cannot be read.
class RandomPhotos final : public PhotoSource {
 public:
  RandomPhotos() {
    constexpr std::array<PhotoSize, 4> kSizes{{{60, 45}, {40, 70}, {33, 33}, {150, 20}}};
    for (std::uint64_t n = 0; n < kPhotos; ++n) {
      const auto [width, height] = kSizes[n % kSizes.size()];
      photos_.emplace(std::to_string(n), test::random_photo(width, height, n));
    }
  }
  Result<Image> load(const std::filesystem::path& path) override {
    ++loads;
    if (path == std::to_string(kUnreadable)) return fail(Error::Kind::kFormat, "{}: damaged", path.string());
    return photos_.at(path.string());
  }
  std::atomic<int> loads = 0;

 private:
  std::map<std::string, Image> photos_;
};

std::vector<Sample> samples() {
  std::vector<Sample> made;
  for (int n = 0; n < kPhotos; ++n) made.push_back({std::to_string(n), {n % 3}});
  return made;
}

LoaderOptions loading(const AugmentPolicy& policy, Fit fit = Fit::kCrop, Filter filter = Filter::kBilinear) {
  LoaderOptions options;
  options.batch = 4;
  options.order = LoaderOptions::Order::kShuffled;
  options.preprocess = {
      .height = 24, .width = 32, .fit = fit, .filter = filter, .mean = {0.48F, 0.45F, 0.4F}, .std = {0.23F, 0.22F, 0.225F}};
  options.augment = policy;
  options.classes = 3;
  options.label_smoothing = 0.1F;
  options.class_weights = {1, 0.5F, 2};
  options.seed = 5;
  return options;
}

/// Everything that may happen to a photo, often.
AugmentPolicy everything() {
  AugmentPolicy policy = augment_policy(AugmentStrength::kStrong);
  policy.vertical_flip = 0.5F;
  policy.randaugment_ops = 4;
  policy.randaugment_magnitude = 17;
  policy.brightness = policy.contrast = policy.saturation = 0.4F;
  policy.hue = 0.3F;
  policy.erase = 0.5F;
  policy.mix_probability = 0.8F;
  return policy;
}

struct Seen {
  std::vector<float> images, targets, weights;
  std::vector<std::int64_t> counts;
};

void add(std::vector<float>& to, std::span<const float> values, std::size_t count) {
  to.insert(to.end(), values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count));
}

/// `epochs` of them, one after the other, brought ahead every other time.
Seen seen_of(BatchSource& source, const LoaderOptions& options, Memory& memory, std::uint32_t epochs) {
  Seen seen;
  const auto pixels = static_cast<std::size_t>(options.preprocess.height * options.preprocess.width * 3);
  for (std::uint32_t epoch = 1; epoch <= epochs; ++epoch) {
    source.start_epoch(epoch);
    StepBatch batch;
    for (int number = 0;; ++number) {
      const Result<bool> more = source.next(batch);
      EXPECT_TRUE(more.ok());
      if (!more || !*more) break;
      const auto rows = static_cast<std::size_t>(batch.rows);
      std::vector<float> images(rows * pixels);
      if (batch.resident == nullptr) {
        std::copy_n(batch.input.begin(), images.size(), images.begin());
      } else {
        memory.download(reinterpret_cast<const std::byte*>(batch.resident), std::as_writable_bytes(std::span(images)));
      }
      add(seen.images, images, images.size());
      add(seen.targets, batch.targets, rows * static_cast<std::size_t>(options.classes));
      add(seen.weights, batch.weights, rows);
      seen.counts.insert(seen.counts.end(), {batch.rows, batch.count, batch.first_row, batch.whole ? 1 : 0});
      if (number % 2 == 0) source.work_ahead();
    }
  }
  return seen;
}

void expect_same(const Seen& made, const Seen& expected) {
  EXPECT_EQ(made.counts, expected.counts);
  EXPECT_EQ(made.targets, expected.targets);
  EXPECT_EQ(made.weights, expected.weights);
  ASSERT_EQ(made.images.size(), expected.images.size());
  std::size_t different = 0;
  for (std::size_t i = 0; i < made.images.size(); ++i) different += made.images[i] != expected.images[i] ? 1 : 0;
  EXPECT_EQ(different, 0U) << "of " << made.images.size();
}

class DeviceBatchesOn : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    auto made = test::make_any_backend(GetParam());
    if (!made) GTEST_SKIP() << made.error().message;
    backend_ = std::move(made).value();
  }
  Seen on_host(const LoaderOptions& options, std::uint32_t epochs) {
    PhotoBatches batches(BatchLoader::create({}, samples_, photos_, options).value());
    return seen_of(batches, options, *host_memory(), epochs);
  }
  std::unique_ptr<DeviceBatches> on_device(const LoaderOptions& options) {
    return DeviceBatches::create({}, *backend_, samples_, photos_, options).value();
  }
  void expect_as_the_host(const LoaderOptions& options, std::uint32_t epochs = 2) {
    const auto batches = on_device(options);
    expect_same(seen_of(*batches, options, *backend_->memory(), epochs), on_host(options, epochs));
  }

  std::unique_ptr<Backend> backend_;
  std::vector<Sample> samples_ = samples();
  RandomPhotos photos_;
};

TEST_P(DeviceBatchesOn, EveryStrengthFitAndFilterGivesTheHostsBits) {
  for (const Fit fit : {Fit::kCrop, Fit::kLetterbox, Fit::kSquash}) {
    for (const Filter filter : {Filter::kBilinear, Filter::kBicubic}) {
      for (const auto strength :
           {AugmentStrength::kNone, AugmentStrength::kLight, AugmentStrength::kMedium, AugmentStrength::kStrong}) {
        SCOPED_TRACE(std::string(name_of(fit)) + " " + std::string(name_of(filter)) + " " + std::string(name_of(strength)));
        expect_as_the_host(loading(augment_policy(strength), fit, filter));
      }
    }
  }
}

TEST_P(DeviceBatchesOn, EverythingAtOnceGivesTheHostsBits) { expect_as_the_host(loading(everything()), 20); }

TEST_P(DeviceBatchesOn, EachStepAloneGivesTheHostsBits) {
  AugmentPolicy policy;
  policy.randaugment_ops = 1;
  policy.randaugment_magnitude = 25;
  expect_as_the_host(loading(policy), 12);
  policy = {};
  policy.hue = 0.5F;
  expect_as_the_host(loading(policy), 4);
  policy = {};
  policy.mixup = 0.4F;
  expect_as_the_host(loading(policy), 4);
  policy = {};
  policy.cutmix = 1;
  expect_as_the_host(loading(policy), 4);
}

TEST_P(DeviceBatchesOn, PartsOrdersAndShortBatchesAreTheHosts) {
  LoaderOptions options = loading(everything());
  options.parts = 2;
  options.part = 1;
  expect_as_the_host(options);
  options = loading(everything());
  options.order = LoaderOptions::Order::kBalanced;  // a photo may come twice
  expect_as_the_host(options);
  options.last = LoaderOptions::Last::kShort;
  expect_as_the_host(options);
}

TEST_P(DeviceBatchesOn, APhotoIsLoadedAndUploadedOnce) {
  const LoaderOptions options = loading(augment_policy(AugmentStrength::kMedium));
  const auto batches = on_device(options);
  (void)seen_of(*batches, options, *backend_->memory(), 1);
  EXPECT_EQ(batches->held().count(), kPhotos - 1);
  EXPECT_GT(batches->held().bytes(), 0U);
  const int loads = photos_.loads;
  (void)seen_of(*batches, options, *backend_->memory(), 3);
  EXPECT_EQ(photos_.loads, loads + 3) << "only the one that cannot be read is tried again";
  EXPECT_EQ(batches->streamed_bytes(), 0U);
  EXPECT_EQ(batches->skipped().size(), 1U);
}

TEST_P(DeviceBatchesOn, AnEpochCanBeginAnywhereAndAnew) {
  const LoaderOptions options = loading(augment_policy(AugmentStrength::kMedium));
  const auto batches = on_device(options);
  StepBatch batch;
  batches->start_epoch(1, 0);
  ASSERT_TRUE(batches->next(batch).value());
  batches->work_ahead();  // which nobody takes
  expect_same(seen_of(*batches, options, *backend_->memory(), 2), on_host(options, 2));
  batches->start_epoch(1, 2);
  ASSERT_TRUE(batches->next(batch).value());
  EXPECT_EQ(batch.count, kPhotos - 8);
  EXPECT_FALSE(batches->next(batch).value());
}

std::string test_name(const testing::TestParamInfo<std::string>& test) { return test.param == "cuda" ? "cuda" : "cuda_host"; }
INSTANTIATE_TEST_SUITE_P(Device, DeviceBatchesOn, testing::Values("cuda", "cuda-host"), test_name);

/// The order in which a device takes pixels does not matter.
TEST(DeviceBatches, EveryOrderOfPixelsGivesTheSame) {
  const LoaderOptions options = loading(everything());
  const std::vector<Sample> all = samples();
  RandomPhotos photos;
  std::vector<Seen> made;
  for (const auto order : {CUstream_st::Order::kForward, CUstream_st::Order::kBackward, CUstream_st::Order::kScattered}) {
    const auto backend = test::make_cuda_host_backend({.order = order});
    const auto batches = DeviceBatches::create({}, *backend, all, photos, options).value();
    made.push_back(seen_of(*batches, options, *backend->memory(), 3));
  }
  expect_same(made[1], made[0]);
  expect_same(made[2], made[0]);
}

TEST(DeviceBatches, WhatDoesNotFitComesWithEveryBatchThatShowsIt) {
  const LoaderOptions options = loading(everything());
  const std::vector<Sample> all = samples();
  RandomPhotos photos;
  PhotoBatches plain(BatchLoader::create({}, all, photos, options).value());
  const Seen expected = seen_of(plain, options, *host_memory(), 3);
  constexpr std::size_t kMemory = 10'000'000;
  for (const double share : {0.003, 0.0}) {  // about four photos, or none
    const auto backend = test::make_cuda_host_backend({.memory_bytes = kMemory});
    const auto batches = DeviceBatches::create({}, *backend, all, photos, options, share).value();
    expect_same(seen_of(*batches, options, *backend->memory(), 3), expected);
    EXPECT_EQ(batches->held().count() > 0, share > 0);
    EXPECT_LT(batches->held().count(), kPhotos - 1);
    EXPECT_GT(batches->streamed_bytes(), 0U);
    EXPECT_THAT(batches->residence(), testing::HasSubstr("the others came with each batch"));
  }
}

TEST(DeviceBatches, MemoryThatHoldsNoBatchIsAnError) {
  const std::vector<Sample> all = samples();
  RandomPhotos photos;
  const auto backend = test::make_cuda_host_backend({.memory_bytes = 10'000});
  const auto batches = DeviceBatches::create({}, *backend, all, photos, loading({}));
  ASSERT_FALSE(batches.ok());
  EXPECT_EQ(batches.error().kind, Error::Kind::kLimit);
  EXPECT_THAT(batches.error().message, testing::HasSubstr("--batch"));
}

TEST(DeviceBatches, TheHostMakesItsOwn) {
  const std::vector<Sample> all = samples();
  RandomPhotos photos;
  const auto device = test::make_cuda_host_backend();
  const auto host = test::make_any_backend("cpu").value();
  const auto of_device = make_photo_batches({}, *device, all, photos, loading({})).value();
  const auto of_host = make_photo_batches({}, *host, all, photos, loading({})).value();
  EXPECT_NE(dynamic_cast<DeviceBatches*>(of_device.get()), nullptr);
  EXPECT_NE(dynamic_cast<PhotoBatches*>(of_host.get()), nullptr);
}

/// Steps of the same network on the same device, whole and in pieces.
TEST(DeviceBatches, TrainingIsThatOnTheHostsImages) {
  NetworkSpec spec = find_architecture("mobilenet_v2_0.35")->spec;
  spec.height = spec.width = 32;
  spec.classes = 3;
  const std::vector<Sample> all = samples();
  RandomPhotos photos;
  LoaderOptions options = loading(everything());
  options.preprocess.height = 32;
  FineTuneOptions tuning;
  tuning.batch = options.batch;
  tuning.optimizer.kind = OptimizerOptions::Kind::kSgd;
  tuning.schedule = {.peak = 0.01, .steps = 10, .warmup = 1};
  const auto trained = [&](const Backend& backend, bool on_device, bool& split) {
    ParameterSet parameters(*build_network(spec));
    initialize_parameters(parameters, 5);
    std::unique_ptr<BatchSource> batches;
    if (on_device) {
      batches = DeviceBatches::create({}, backend, all, photos, options).value();
    } else {
      batches = std::make_unique<PhotoBatches>(BatchLoader::create({}, all, photos, options).value());
    }
    FineTuner tuner = FineTuner::create({}, backend, spec, parameters, tuning).value();
    for (std::uint32_t epoch = 1; epoch <= 2; ++epoch) EXPECT_TRUE(tuner.run_epoch(*batches, epoch).ok());
    split = tuner.split().has_value();
    return std::vector<float>(tuner.result().begin(), tuner.result().end());
  };
  bool split = false;
  const auto device = test::make_cuda_host_backend();
  const auto expected = trained(*device, false, split);
  const std::uint64_t before = *device->memory()->free_bytes();
  EXPECT_EQ(trained(*device, true, split), expected);
  EXPECT_FALSE(split);
  EXPECT_EQ(*device->memory()->free_bytes(), before);
}

}  // namespace
}  // namespace fovea::training
