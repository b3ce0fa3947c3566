// SPDX-License-Identifier: Apache-2.0
#include "fovea/benchmark.h"

#include <gtest/gtest.h>

#include <fstream>

#include "data/photos.h"
#include "image/encode.h"
#include "support/paths.h"

namespace fovea {
namespace {

BenchSettings brief(std::vector<int> threads = {1, 2}) { return {.threads = std::move(threads), .seconds = 0.02}; }

TEST(BenchDecode, GoesByFormatAndSizeAndSaysWhereTheTimeGoes) {
  const test::TemporaryFolder folder;
  for (int i = 0; i < 3; ++i)
    test::photo_file(folder / ("small" + std::to_string(i) + ".png"), test::random_photo(60, 40, static_cast<std::uint64_t>(i)));
  test::photo_file(folder / "large.png", test::random_photo(1250, 1000, 9));
  const std::vector<std::byte> jpeg = encode_jpeg(test::random_photo(600, 500, 4), 90);
  std::ofstream(folder / "photo.jpg", std::ios::binary)
      .write(reinterpret_cast<const char*>(jpeg.data()), static_cast<std::streamsize>(jpeg.size()));
  std::vector<DecodeRate> told;
  const auto bench = bench_decode({.settings = brief(), .inputs = {folder.path()}, .size = 32},
                                  [&](const DecodeRate& rate) { told.push_back(rate); });
  ASSERT_TRUE(bench.ok()) << bench.error().message;
  ASSERT_EQ(bench->rates.size(), 6U);  // of three groups with one and two threads each
  EXPECT_EQ(told.size(), 6U);
  EXPECT_TRUE(bench->skipped.empty());
  EXPECT_EQ(bench->rates[0].format, "JPEG");
  EXPECT_EQ(bench->rates[0].scaled, 1);  // 500 rows are more than 36, twice
  EXPECT_EQ(bench->rates[2].format, "PNG");
  EXPECT_EQ(bench->rates[2].photos, 3);
  EXPECT_EQ(bench->rates[2].size_class, "under 1 MP");
  EXPECT_EQ(bench->rates[4].size_class, "1 to 4 MP");
  for (const DecodeRate& rate : bench->rates) {
    EXPECT_GT(rate.photos_per_second, 0);
    EXPECT_GT(rate.megabytes_per_second, 0);
    EXPECT_NEAR(rate.reading + rate.decoding + rate.resizing, 1, 1e-9);
    if (rate.format == "PNG") {
      EXPECT_EQ(rate.scaled, 0);
    }
  }
}

TEST(BenchDecode, PassesOverWhatIsNoPhotoAndNamesIt) {
  const test::TemporaryFolder folder;
  test::photo_file(folder / "good.png", test::random_photo(20, 20, 1));
  std::ofstream(folder / "bad.jpg") << "no photo";
  const auto bench = bench_decode({.settings = brief({1}), .inputs = {folder / "good.png", folder / "bad.jpg"}});
  ASSERT_TRUE(bench.ok()) << bench.error().message;
  ASSERT_EQ(bench->skipped.size(), 1U);
  EXPECT_EQ(bench->skipped[0].path, folder / "bad.jpg");
  EXPECT_EQ(bench_decode({.settings = brief(), .inputs = {folder / "bad.jpg"}}).error().kind, Error::Kind::kFormat);
  EXPECT_EQ(bench_decode({.settings = brief()}).error().kind, Error::Kind::kNotFound);
}

NetworkBenchOptions small_network() {
  return {.settings = brief(), .archs = {"mobilenet_v2_0.35"}, .batches = {2, 3}, .size = 32, .device = "cpu"};
}

void expect_sane(const std::vector<NetworkRate>& rates) {
  ASSERT_EQ(rates.size(), 4U);
  for (const NetworkRate& rate : rates) {
    EXPECT_EQ(rate.network, "mobilenet_v2_0.35");
    EXPECT_EQ(rate.size, 32);
    EXPECT_EQ(rate.precision, "fp32");
    EXPECT_GE(rate.runs, 3);
    EXPECT_GT(rate.median_ms, 0);
    EXPECT_GE(rate.p95_ms, rate.median_ms);
    EXPECT_NEAR(rate.images_per_second, 1e3 * rate.batch / rate.median_ms, 1e-6 * rate.images_per_second);
    EXPECT_GT(rate.gflops, 0);
    EXPECT_GT(rate.machine_gflops, 0);
  }
  EXPECT_EQ(rates[0].batch, 2);
  EXPECT_EQ(rates[1].threads, 2);
  EXPECT_EQ(rates[3].batch, 3);
}

TEST(BenchInfer, HasARowForEachBatchAndNumberOfThreads) {
  const auto rates = bench_infer(small_network());
  ASSERT_TRUE(rates.ok()) << rates.error().message;
  expect_sane(*rates);
}

TEST(BenchTrain, HasARowForEachBatchAndNumberOfThreads) {
  for (const bool live : {false, true}) {
    NetworkBenchOptions options = small_network();
    options.live_norm = live;
    options.precision = PrecisionChoice::kFp32;
    const auto rates = bench_train(options);
    ASSERT_TRUE(rates.ok()) << rates.error().message;
    expect_sane(*rates);
    // At least the pixels of every photo are read, and no machine moves a terabyte a millisecond.
    for (const NetworkRate& rate : *rates) {
      EXPECT_GT(*rate.traffic_gb_s, 1e-9 * 4 * 3 * rate.size * rate.size * rate.images_per_second / 2);
      EXPECT_LT(*rate.traffic_gb_s, 1e6);
    }
  }
}

TEST(BenchNetworks, RefuseWhatMakesNoSense) {
  NetworkBenchOptions options = small_network();
  options.batches = {0};
  EXPECT_EQ(bench_infer(options).error().kind, Error::Kind::kUsage);
  options = small_network();
  options.archs = {"resnet99"};
  EXPECT_EQ(bench_train(options).error().kind, Error::Kind::kNotFound);
  options = small_network();
  options.device = "cuda";
  options.model = "model.safetensors";
  EXPECT_FALSE(bench_infer(options).ok());
  EXPECT_EQ(bench_train(options).error().kind, Error::Kind::kUsage);
  const std::atomic<bool> stop = true;
  options = small_network();
  options.settings.stop = &stop;
  EXPECT_EQ(bench_infer(options).error().kind, Error::Kind::kCancelled);
  EXPECT_EQ(bench_train(options).error().kind, Error::Kind::kCancelled);
}

TEST(BenchSort, IsRight) {
  const auto bench = bench_sort({.settings = brief(), .count = 2'000'000});
  ASSERT_TRUE(bench.ok()) << bench.error().message;
  ASSERT_EQ(bench->rates.size(), 2U);
  for (const SortRate& rate : bench->rates) {
    EXPECT_TRUE(rate.sorted);
    EXPECT_TRUE(rate.same_numbers);
    EXPECT_GT(rate.milliseconds, 0);
    EXPECT_GT(rate.std_sort_ms, 0);
    EXPECT_GT(rate.copy_gb_s, 0);
  }
}

TEST(BenchSort, SaysBeforeItBeginsThatTheMemoryDoesNotDo) {
  const auto bench = bench_sort({.settings = brief(), .count = std::int64_t{1} << 50});
  ASSERT_FALSE(bench.ok());
  EXPECT_EQ(bench.error().kind, Error::Kind::kLimit);
  EXPECT_NE(bench.error().message.find("are free: expected at most"), std::string::npos) << bench.error().message;
  EXPECT_EQ(bench_sort({.settings = brief(), .count = 0}).error().kind, Error::Kind::kUsage);
}

}  // namespace
}  // namespace fovea
