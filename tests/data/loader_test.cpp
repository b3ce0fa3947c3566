// SPDX-License-Identifier: Apache-2.0
#include "data/loader.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "data/photos.h"

namespace fovea {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

// Pictures made from the number in their name, after a pause that differs from one to the next: workers overtake each other.
class Painted final : public PhotoSource {
 public:
  explicit Painted(std::vector<int> broken = {}) : broken_(std::move(broken)) {}
  Result<Image> load(const std::filesystem::path& path) override {
    const int number = std::stoi(path.stem().string());
    std::this_thread::sleep_for(std::chrono::microseconds(number * 7919 % 400));
    {
      const std::lock_guard lock(mutex_);
      ++loads_;
    }
    if (std::ranges::find(broken_, number) != broken_.end()) return fail(Error::Kind::kFormat, "{}: broken", path.string());
    return test::random_photo(20, 16, static_cast<std::uint64_t>(number));
  }
  [[nodiscard]] int loads() const {
    const std::lock_guard lock(mutex_);
    return loads_;
  }

 private:
  std::vector<int> broken_;
  mutable std::mutex mutex_;
  int loads_ = 0;
};

std::vector<Sample> samples_of(const std::vector<int>& labels) {
  std::vector<Sample> samples;
  for (const int label : labels) samples.push_back({std::to_string(samples.size()) + ".jpg", {label}});
  return samples;
}

LoaderOptions small_options() {
  LoaderOptions options;
  options.batch = 4;
  options.preprocess.height = 8;
  options.preprocess.width = 10;
  options.classes = 3;
  options.seed = 42;
  return options;
}

struct Epoch {
  std::vector<float> images, targets, weights;
  std::vector<std::int32_t> index;
  std::vector<std::int64_t> counts;
};

Result<Epoch> run_epoch(BatchLoader& loader, std::uint32_t number, const LoaderOptions& options) {
  Epoch epoch;
  Batch batch;
  loader.start_epoch(number);
  const auto append = [](std::vector<float>& to, const Buffer& from, std::int64_t count) {
    const auto floats = from.floats().first(static_cast<std::size_t>(count));
    to.insert(to.end(), floats.begin(), floats.end());
  };
  while (true) {
    FOVEA_ASSIGN(const bool more, loader.next(batch));
    if (!more) return epoch;
    append(epoch.images, batch.images, batch.rows * options.preprocess.height * options.preprocess.width * 3);
    append(epoch.targets, batch.targets, batch.rows * options.classes);
    append(epoch.weights, batch.weights, batch.rows);
    epoch.index.insert(epoch.index.end(), batch.index.begin(), batch.index.end());
    epoch.counts.push_back(batch.count);
  }
}

Epoch one_epoch(const std::vector<Sample>& samples, PhotoSource& source, const LoaderOptions& options, std::uint32_t number = 0) {
  auto loader = BatchLoader::create(Context{}, samples, source, options);
  EXPECT_TRUE(loader.ok());
  auto epoch = run_epoch(**loader, number, options);
  EXPECT_TRUE(epoch.ok());
  return std::move(*epoch);
}

TEST(BatchLoader, TheSameBatchesForAnyNumberOfWorkers) {
  const auto samples = samples_of({0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 0, 0, 0});
  LoaderOptions options = small_options();
  options.augment = augment_policy(AugmentStrength::kStrong);
  options.augment.mix_probability = 1;
  for (const auto order : {LoaderOptions::Order::kShuffled, LoaderOptions::Order::kBalanced}) {
    options.order = order;
    std::vector<Epoch> epochs;
    for (const int workers : {1, 2, 5}) {
      for (const int prefetch : {1, 3}) {
        options.workers = workers;
        options.prefetch = prefetch;
        Painted source({4});
        epochs.push_back(one_epoch(samples, source, options, 7));
      }
    }
    for (const Epoch& epoch : epochs) {
      EXPECT_EQ(epoch.index, epochs[0].index);
      EXPECT_EQ(epoch.images, epochs[0].images);
      EXPECT_EQ(epoch.targets, epochs[0].targets);
      EXPECT_EQ(epoch.weights, epochs[0].weights);
    }
  }
}

TEST(BatchLoader, PixelsAreWhatPredictionWouldSee) {
  const auto samples = samples_of({0, 1, 2});
  Painted source;
  const LoaderOptions options = small_options();
  const Epoch epoch = one_epoch(samples, source, options);
  const Image fitted = fit_image(*source.load("2.jpg"), options.preprocess);
  std::vector<float> expected(fitted.pixels.size());
  normalize(fitted.pixels, options.preprocess, expected);
  const auto begin = epoch.images.begin() + static_cast<std::ptrdiff_t>(2 * expected.size());
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), begin));
}

TEST(BatchLoader, TheLastBatchIsPaddedOrShort) {
  const auto samples = samples_of({0, 1, 2, 0, 1});
  Painted source;
  LoaderOptions options = small_options();
  const Epoch padded = one_epoch(samples, source, options);
  EXPECT_THAT(padded.counts, ElementsAre(4, 1));
  EXPECT_THAT(padded.index, ElementsAre(0, 1, 2, 3, 4, -1, -1, -1));
  EXPECT_THAT(padded.weights, ElementsAre(1, 1, 1, 1, 1, 0, 0, 0));
  EXPECT_TRUE(std::all_of(padded.images.begin() + 5 * 240, padded.images.end(), [](float value) { return value == 0; }));
  EXPECT_TRUE(std::all_of(padded.targets.begin() + 15, padded.targets.end(), [](float value) { return value == 0; }));
  options.last = LoaderOptions::Last::kShort;
  const Epoch shorter = one_epoch(samples, source, options);
  EXPECT_THAT(shorter.index, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(shorter.images, SizeIs(5 * 240));
}

TEST(BatchLoader, TargetsAreSmoothedAndWeighted) {
  std::vector<Sample> samples = samples_of({2, 0});
  Painted source;
  LoaderOptions options = small_options();
  options.batch = 2;
  options.label_smoothing = 0.3F;
  options.class_weights = {0.5F, 1, 2};
  const Epoch single = one_epoch(samples, source, options);
  EXPECT_THAT(single.targets, testing::Pointwise(testing::FloatNear(1e-6F), {0.1F, 0.1F, 0.8F, 0.8F, 0.1F, 0.1F}));
  EXPECT_THAT(single.weights, ElementsAre(2, 0.5F));
  samples[0].labels = {0, 2};
  samples[1].labels = {};
  options.multi_label = true;
  const Epoch several = one_epoch(samples, source, options);
  EXPECT_THAT(several.targets, testing::Pointwise(testing::FloatNear(1e-6F), {0.85F, 0.15F, 0.85F, 0.15F, 0.15F, 0.15F}));
  EXPECT_THAT(several.weights, ElementsAre(1.25F, 1));
}

TEST(BatchLoader, ShufflingVisitsEverySampleOnceAndDiffersByEpochAndSeed) {
  const auto samples = samples_of(std::vector<int>(40, 0));
  Painted source;
  LoaderOptions options = small_options();
  options.order = LoaderOptions::Order::kShuffled;
  const Epoch first = one_epoch(samples, source, options, 0);
  const Epoch second = one_epoch(samples, source, options, 1);
  options.seed = 43;
  const Epoch other = one_epoch(samples, source, options, 0);
  EXPECT_NE(first.index, second.index);
  EXPECT_NE(first.index, other.index);
  std::vector<std::int32_t> sorted = first.index;
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size(); ++i) EXPECT_EQ(sorted[i], static_cast<std::int32_t>(i));
}

TEST(BatchLoader, BalancedOrderGivesEveryClassItsTurn) {
  std::vector<int> labels(30, 0);
  labels.insert(labels.end(), {1, 1, 1, 2, 2});
  const auto samples = samples_of(labels);
  Painted source;
  LoaderOptions options = small_options();
  options.order = LoaderOptions::Order::kBalanced;
  options.last = LoaderOptions::Last::kShort;
  const Epoch epoch = one_epoch(samples, source, options);
  ASSERT_THAT(epoch.index, SizeIs(35));
  std::map<int, int> of_class;
  std::map<int, int> of_sample;
  for (const std::int32_t i : epoch.index) ++of_class[labels[static_cast<std::size_t>(i)]], ++of_sample[i];
  for (int k = 0; k < 3; ++k) EXPECT_TRUE(of_class[k] == 11 || of_class[k] == 12) << of_class[k];
  for (int i = 0; i < 30; ++i) EXPECT_LE(of_sample[i], 1);
  for (int i = 30; i < 33; ++i) EXPECT_TRUE(of_sample[i] == 3 || of_sample[i] == 4);
}

TEST(BatchLoader, ARepeatedSampleIsVariedAnew) {
  const auto samples = samples_of({0, 0, 0, 1});
  Painted source;
  LoaderOptions options = small_options();
  options.order = LoaderOptions::Order::kBalanced;
  options.augment = augment_policy(AugmentStrength::kMedium);
  const Epoch epoch = one_epoch(samples, source, options);
  std::vector<std::vector<float>> seen;
  for (std::size_t row = 0; row < 4; ++row) {
    const auto begin = epoch.images.begin() + static_cast<std::ptrdiff_t>(row * 240);
    if (epoch.index[row] == 3) seen.emplace_back(begin, begin + 240);
  }
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_NE(seen[0], seen[1]);
}

TEST(BatchLoader, UnreadablePhotosWeighNothingAndAreToldOnce) {
  const auto samples = samples_of({0, 1, 2, 0, 1});
  Painted source({1, 3});
  const LoaderOptions options = small_options();
  std::vector<std::string> said;
  Context context;
  context.threads = 3;
  context.log = [&](Severity severity, std::string_view text) {
    EXPECT_EQ(severity, Severity::kWarning);
    said.emplace_back(text);
  };
  const auto loader = BatchLoader::create(context, samples, source, options);
  ASSERT_TRUE(loader.ok());
  for (const std::uint32_t number : {0U, 1U}) {
    const auto epoch = run_epoch(**loader, number, options);
    ASSERT_TRUE(epoch.ok());
    EXPECT_THAT(epoch->weights, ElementsAre(1, 0, 1, 0, 1, 0, 0, 0));
    EXPECT_TRUE(std::all_of(epoch->images.begin() + 240, epoch->images.begin() + 480, [](float value) { return value == 0; }));
  }
  EXPECT_THAT(said, ElementsAre("skipped: 1.jpg: broken", "skipped: 3.jpg: broken"));
  ASSERT_THAT((*loader)->skipped(), SizeIs(2));
  EXPECT_EQ((*loader)->skipped()[1].path, "3.jpg");
}

TEST(BatchLoader, StrictEndsWithTheFirstUnreadablePhoto) {
  const auto samples = samples_of({0, 1, 2, 0, 1, 2, 0, 1});
  LoaderOptions options = small_options();
  options.strict = true;
  options.workers = 5;
  for (int repeat = 0; repeat < 5; ++repeat) {
    Painted source({5, 7});
    const auto loader = BatchLoader::create(Context{}, samples, source, options);
    ASSERT_TRUE(loader.ok());
    const auto epoch = run_epoch(**loader, 0, options);
    ASSERT_FALSE(epoch.ok());
    EXPECT_EQ(epoch.error().message, "5.jpg: broken");
  }
}

TEST(BatchLoader, StopsInTheMiddleAndStartsAnew) {
  const auto samples = samples_of(std::vector<int>(50, 1));
  Painted source;
  const LoaderOptions options = small_options();
  std::atomic<bool> stop = false;
  Context context;
  context.threads = 4;
  context.stop = &stop;
  const auto loader = BatchLoader::create(context, samples, source, options);
  ASSERT_TRUE(loader.ok());
  Batch batch;
  (*loader)->start_epoch(0);
  ASSERT_TRUE((*loader)->next(batch).ok());
  const auto again = run_epoch(**loader, 0, options);
  ASSERT_TRUE(again.ok());
  EXPECT_THAT(again->counts, SizeIs(13));
  (*loader)->start_epoch(1);
  stop = true;
  EXPECT_EQ((*loader)->next(batch).error().kind, Error::Kind::kCancelled);
}

TEST(BatchLoader, PreparesNoFurtherAheadThanAsked) {
  const auto samples = samples_of(std::vector<int>(400, 1));
  Painted source;
  LoaderOptions options = small_options();
  options.workers = 3;
  {
    const auto loader = BatchLoader::create(Context{}, samples, source, options);
    ASSERT_TRUE(loader.ok());
    Batch batch;
    (*loader)->start_epoch(0);
    ASSERT_TRUE((*loader)->next(batch).ok());
  }
  EXPECT_LE(source.loads(), (1 + options.prefetch) * options.batch);
}

TEST(BatchLoader, PartsTogetherAreTheBatches) {
  const auto samples = samples_of({0, 1, 2, 0, 1, 2, 0, 1, 2});
  Painted source;
  LoaderOptions options = small_options();
  options.order = LoaderOptions::Order::kShuffled;
  const auto whole = BatchLoader::create(Context{}, samples, source, options);
  options.parts = 2;
  const auto lower = BatchLoader::create(Context{}, samples, source, options);
  options.part = 1;
  const auto upper = BatchLoader::create(Context{}, samples, source, options);
  ASSERT_TRUE(whole.ok() && lower.ok() && upper.ok());
  Batch all;
  std::array<Batch, 2> parts;
  for (const auto* loader : {&*whole, &*lower, &*upper}) (*loader)->start_epoch(1, 1);
  for (int batch = 1; batch < 3; ++batch) {
    ASSERT_TRUE((*whole)->next(all).value() && (*lower)->next(parts[0]).value() && (*upper)->next(parts[1]).value());
    for (std::int64_t row = 0; row < 4; ++row) {
      const Batch& part = parts[static_cast<std::size_t>(row / 2)];
      EXPECT_EQ(part.rows, 2);
      EXPECT_EQ(part.first_row, row / 2 * 2);
      EXPECT_EQ(part.whole, batch == 1);
      const auto in_part = static_cast<std::size_t>(row % 2);
      EXPECT_EQ(part.index[in_part], all.index[static_cast<std::size_t>(row)]);
      const std::size_t pixels = 8 * 10 * 3;
      EXPECT_TRUE(std::ranges::equal(part.images.floats().subspan(in_part * pixels, pixels),
                                     all.images.floats().subspan(static_cast<std::size_t>(row) * pixels, pixels)));
    }
    EXPECT_EQ(parts[0].count + parts[1].count, all.count);
  }
  EXPECT_FALSE((*upper)->next(parts[1]).value());
  options.batch = 5;
  EXPECT_THAT(BatchLoader::create(Context{}, samples, source, options).error().message, HasSubstr("cannot be shared"));
}

TEST(BatchLoader, RefusesWhatMakesNoSense) {
  const auto samples = samples_of({0, 3});
  Painted source;
  LoaderOptions options = small_options();
  EXPECT_THAT(BatchLoader::create(Context{}, samples, source, options).error().message, HasSubstr("label 3, expected 0 to 2"));
  options.classes = 4;
  options.batch = 0;
  EXPECT_THAT(BatchLoader::create(Context{}, samples, source, options).error().message, HasSubstr("batch of 0"));
}

}  // namespace
}  // namespace fovea
