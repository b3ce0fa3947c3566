// SPDX-License-Identifier: Apache-2.0
#include "train/vector_math.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <numeric>
#include <vector>

#include "core/parallel.h"

namespace fovea::training {
namespace {

constexpr std::int64_t kBlock = 8192;
constexpr std::int64_t kGrain = 32768;  // elements for which waking a thread pays

double block_dot(const float* a, const float* b, std::int64_t count) {
  std::array<double, 8> lanes{};  // independent chains, which the compiler turns into vectors
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (std::int64_t lane = 0; lane < 8; ++lane) lanes[lane] += static_cast<double>(a[i + lane]) * b[i + lane];
  }
  for (; i < count; ++i) lanes[0] += static_cast<double>(a[i]) * b[i];
  return std::accumulate(lanes.begin(), lanes.end(), 0.0);
}

}  // namespace

double dot(const Context& context, std::span<const float> a, std::span<const float> b) {
  assert(a.size() == b.size());
  const auto total = static_cast<std::int64_t>(a.size());
  const std::int64_t blocks = (total + kBlock - 1) / kBlock;
  std::vector<double> sums(static_cast<std::size_t>(blocks));
  parallel_ranges(context, blocks, kGrain / kBlock, [&](Range range) {
    for (std::int64_t block = range.begin; block < range.end; ++block) {
      const std::int64_t begin = block * kBlock;
      sums[static_cast<std::size_t>(block)] = block_dot(a.data() + begin, b.data() + begin, std::min(kBlock, total - begin));
    }
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

void copy(const Context& context, std::span<const float> x, std::span<float> y) {
  assert(x.size() == y.size());
  parallel_ranges(context, static_cast<std::int64_t>(x.size()), kGrain,
                  [&](Range range) { std::copy_n(x.data() + range.begin, range.size(), y.data() + range.begin); });
}

void add_scaled(const Context& context, float alpha, std::span<const float> x, std::span<float> y) {
  assert(x.size() == y.size());
  parallel_ranges(context, static_cast<std::int64_t>(x.size()), kGrain, [&](Range range) {
    const float* source = x.data();
    float* target = y.data();
    for (std::int64_t i = range.begin; i < range.end; ++i) target[i] += alpha * source[i];
  });
}

}  // namespace fovea::training
