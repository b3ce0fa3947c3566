// SPDX-License-Identifier: Apache-2.0
#include "limits.h"

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>

#include "core/buffer.h"
#include "core/context.h"
#include "core/parallel.h"

namespace fovea::bench {
namespace {

bool processor_clock = false;

template <class Body>
double best_seconds(const Body& body) {
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    const double begin = now();
    body();
    best = std::min(best, now() - begin);
  }
  return best;
}

}  // namespace

void use_processor_clock() { processor_clock = true; }

double now() {
  timespec time{};
  clock_gettime(processor_clock ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double gemm_limit(int threads) {
  constexpr dnnl_dim_t kSize = 1536;
  const std::size_t bytes = static_cast<std::size_t>(kSize * kSize) * sizeof(float);
  const Buffer a(bytes), b(bytes), c(bytes);
  omp_set_num_threads(threads);
  const double seconds = best_seconds([&] {
    (void)dnnl_sgemm('N', 'N', kSize, kSize, kSize, 1.0F, a.floats().data(), kSize, b.floats().data(), kSize, 0.0F,
                     c.floats().data(), kSize);
  });
  return 2.0 * static_cast<double>(kSize) * kSize * kSize / seconds * 1e-9;
}

double copy_limit(int threads) {
  constexpr std::size_t kBytes = std::size_t{256} << 20;
  const Buffer from(kBytes), to(kBytes);
  Context context;
  context.threads = threads;
  const double seconds = best_seconds([&] {
    parallel_ranges(context, static_cast<std::int64_t>(kBytes), 1, [&](Range r) {
      std::memcpy(to.data() + r.begin, from.data() + r.begin, static_cast<std::size_t>(r.size()));
    });
  });
  return 2.0 * static_cast<double>(kBytes) / seconds * 1e-9;
}

// Not getrusage's figure: it begins with that of the process that started this one.
double peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr) / 1024.0;
  }
  return 0;
}

}  // namespace fovea::bench
