// SPDX-License-Identifier: Apache-2.0
#include "hardware/rates.h"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

#include "core/available_memory.h"
#include "core/buffer.h"
#include "core/parallel.h"

namespace fovea::hardware {
namespace {

template <class Body>
double best_seconds(Clock now, const Body& body) {
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    const double begin = now();
    body();
    best = std::min(best, now() - begin);
  }
  return best;
}

}  // namespace

double steady_seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

#if defined(__x86_64__) || defined(__i386__)

double gemm_rate(int threads, Clock now) {
  constexpr dnnl_dim_t kSize = 1536;
  const std::size_t bytes = static_cast<std::size_t>(kSize * kSize) * sizeof(float);
  const Buffer a(bytes), b(bytes), c(bytes);
  const int usual = omp_get_max_threads();
  omp_set_num_threads(threads);
  const double seconds = best_seconds(now, [&] {
    (void)dnnl_sgemm('N', 'N', kSize, kSize, kSize, 1.0F, a.floats().data(), kSize, b.floats().data(), kSize, 0.0F,
                     c.floats().data(), kSize);
  });
  omp_set_num_threads(usual);
  return 2.0 * static_cast<double>(kSize) * kSize * kSize / seconds * 1e-9;
}

#else

namespace {

using Four = float __attribute__((vector_size(16)));
constexpr int kTall = 5, kWide = 4;
constexpr std::int64_t kDepth = 256;

/// c (kTall, kWide fours) += a (kDepth, kTall)' b (kDepth, kWide fours), its sums in registers.
#ifdef __clang__
__attribute__((noinline)) void add_product(const float* a, const Four* b, Four* c) {
#pragma clang fp contract(fast)
#else
__attribute__((noinline, optimize("fp-contract=fast"))) void add_product(const float* a, const Four* b, Four* c) {
#endif
  Four sum[kTall][kWide] = {};
  for (std::int64_t k = 0; k < kDepth; ++k) {
    for (int i = 0; i < kTall; ++i) {
      for (int j = 0; j < kWide; ++j) sum[i][j] += a[k * kTall + i] * b[k * kWide + j];
    }
  }
  for (int i = 0; i < kTall * kWide; ++i) c[i] += sum[i / kWide][i % kWide];
}

}  // namespace

double gemm_rate(int threads, Clock now) {
  constexpr std::int64_t kProducts = 20'000;
  Context context;
  context.threads = threads;
  const double seconds = best_seconds(now, [&] {
    parallel_for(context, threads, [&](std::int64_t /*thread*/) {
      const std::vector<float> a(kDepth * kTall, 0.5F);
      const std::vector<Four> b(kDepth * kWide, Four{1, 1, 1, 1});
      std::vector<Four> c(kTall * kWide);
      for (std::int64_t i = 0; i < kProducts; ++i) add_product(a.data(), b.data(), c.data());
    });
  });
  return 2.0 * kTall * kWide * 4 * kDepth * kProducts * threads / seconds * 1e-9;
}

#endif

double copy_rate(int threads, Clock now) {
  // Larger than any cache, but no more than a small machine has to give.
  constexpr std::int64_t kMost = std::int64_t{256} << 20;
  constexpr std::int64_t kLeast = std::int64_t{16} << 20;
  const std::int64_t available = available_memory();
  const auto bytes = static_cast<std::size_t>(available > 0 ? std::clamp(available / 4, kLeast, kMost) : kMost);
  const Buffer from(bytes), to(bytes);
  Context context;
  context.threads = threads;
  const auto each_part = [&](const auto& body) {
    parallel_ranges(context, static_cast<std::int64_t>(bytes), 1,
                    [&](Range r) { body(to.data() + r.begin, from.data() + r.begin, static_cast<std::size_t>(r.size())); });
  };
  // Memory that nobody has written is one page of zeros, which stays in the caches however much of it is read.
  each_part([](std::byte* target, std::byte* source, std::size_t size) {
    std::memset(source, 1, size);
    std::memset(target, 2, size);
  });
  const double seconds = best_seconds(
      now, [&] { each_part([](std::byte* target, std::byte* source, std::size_t size) { std::memcpy(target, source, size); }); });
  return 2.0 * static_cast<double>(bytes) / seconds * 1e-9;
}

}  // namespace fovea::hardware
