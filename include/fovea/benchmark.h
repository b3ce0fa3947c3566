// Fovea: how fast this machine reads photos, looks at them, learns and sorts, and how near that is to what it can do at best.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "fovea/result.h"
#include "fovea/skipped_photo.h"
#include "fovea/trainer.h"

namespace fovea {

/// What every measurement may be told.
struct BenchSettings {
  std::vector<int> threads;  ///< one row of figures each; empty: 1 and every processor that this process may use
  double seconds = 2;        ///< to measure for each row, about
  const std::atomic<bool>* stop = nullptr;
};

/// Photos of one format and one class of size, from file to the network's input.
struct DecodeRate {
  std::string format;      ///< "JPEG"; "all" where several are summed
  std::string size_class;  ///< "1 to 4 MP"; "any"
  int threads = 1;
  std::int64_t photos = 0;  ///< different ones
  double photos_per_second = 0;
  double megabytes_per_second = 0;  ///< of files
  /// Parts of the threads' time; their sum is 1. Reading is from memory, once the system keeps the file there.
  double reading = 0, decoding = 0, resizing = 0;
  double scaled = 0;  ///< share of photos that were decoded at a half, a quarter or an eighth of their size (JPEG alone can)
};
struct DecodeBench {
  std::vector<DecodeRate> rates;
  std::vector<SkippedPhoto> skipped;  ///< in no rate
};
struct DecodeBenchOptions {
  BenchSettings settings;
  std::vector<std::filesystem::path> inputs;  ///< photos, and folders of photos
  int size = 224;                             ///< input side in pixels; the usual crop
};
/// kNotFound where there is no photo, kFormat when none can be read, kCancelled on request.
Result<DecodeBench> bench_decode(const DecodeBenchOptions& options, const std::function<void(const DecodeRate&)>& on_rate = {});

/// One network at one batch size with one number of threads.
struct NetworkRate {
  std::string network;
  int size = 0;  ///< input side in pixels
  int batch = 0;
  int threads = 1;
  std::string precision;  ///< "fp32"; "bf16", "tf32", "fp16": of convolutions and blocks
  std::int64_t runs = 0;  ///< that were timed
  double median_ms = 0;   ///< of a batch
  double p95_ms = 0;      ///< 95 of 100 runs were faster
  double images_per_second = 0;
  double gflops = 0;                   ///< arithmetic of the products, by the median
  double machine_gflops = 0;           ///< product of large fp32 matrices with as many threads, measured before
  std::optional<double> traffic_gb_s;  ///< to train: what ops read and write, each operand once, as it is kept; by the median
  std::int64_t peak_memory = 0;        ///< bytes that the process held at most; 0 where the system does not tell
  std::optional<double> wait_share;    ///< of the time, spent waiting for photos; none without NetworkBenchOptions::data
};
struct NetworkBenchOptions {
  BenchSettings settings;
  std::vector<std::string> archs;  ///< random weights, which are as fast as others; empty, and no model: the default network
  std::filesystem::path model;     ///< a model of one's own, for bench_infer alone
  std::vector<int> batches;        ///< empty: 1, 8 and 32 to infer, 32 to train
  int size = 0;                    ///< input side in pixels; 0: the network's
  /// To train: photos laid out as for train(), decoded before, varied while the network learns; empty: made-up batches.
  std::filesystem::path data;
  bool live_norm = false;                              ///< to train: with statistics of the batch
  PrecisionChoice precision = PrecisionChoice::kAuto;  ///< to train
  std::string device = "auto";
};
using OnNetworkRate = std::function<void(const NetworkRate&)>;
/// The forward pass of a network as `predict` runs it. The errors of a model that cannot be opened, a network that is not known
/// (kNotFound) or a device that cannot be used; kCancelled on request.
Result<std::vector<NetworkRate>> bench_infer(const NetworkBenchOptions& options, const OnNetworkRate& on_rate = {});
/// Whole steps of fine-tuning: forward, backward, optimiser, moving average. Errors as above, and those of the data.
Result<std::vector<NetworkRate>> bench_train(const NetworkBenchOptions& options, const OnNetworkRate& on_rate = {});

/// Random 32-bit numbers, sorted.
struct SortRate {
  std::string device = "cpu";  ///< or "cuda:0"
  std::int64_t count = 0;
  int threads = 1;
  double milliseconds = 0;            ///< the best of some runs
  std::optional<double> transfer_ms;  ///< of a GPU: the numbers there and back, which is not in `milliseconds`
  double gb_s = 0;                    ///< numbers read and written once, in that time
  double copy_gb_s = 0;               ///< what this machine copies at best, read and written
  double std_sort_ms = 0;             ///< what std::sort would take on one thread, from a part of the numbers
  bool sorted = false;                ///< each not less than the one before
  bool same_numbers = false;          ///< sum, sum of squares and exclusive or are those of the numbers before
};
struct SortBench {
  std::vector<SortRate> rates;
  std::string no_gpu;  ///< why there is no row of a GPU
};
struct SortBenchOptions {
  BenchSettings settings;
  std::int64_t count = 200'000'000;
};
/// kUsage for a count below 1, kLimit when the memory that is free does not hold the numbers twice, kCancelled on request.
Result<SortBench> bench_sort(const SortBenchOptions& options, const std::function<void(const SortRate&)>& on_rate = {});

}  // namespace fovea
