// Fovea: what a piece of work costs: time on the clock, and time of processors.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <ctime>

namespace fovea::estimate {

/// The two together tell a busy machine from slow work.
struct Cost {
  double seconds = 0;    ///< on the clock, with all threads
  double processor = 0;  ///< seconds of all threads together

  Cost& operator+=(const Cost& other) {
    seconds += other.seconds;
    processor += other.processor;
    return *this;
  }
};
[[nodiscard]] inline Cost operator+(Cost a, const Cost& b) { return a += b; }
[[nodiscard]] inline Cost operator*(double times, const Cost& cost) { return {times * cost.seconds, times * cost.processor}; }
/// What `a` costs more than `b`; at least nothing, since both are measured.
[[nodiscard]] inline Cost beyond(const Cost& a, const Cost& b) {
  const auto positive = [](double x) { return x > 0 ? x : 0; };
  return {positive(a.seconds - b.seconds), positive(a.processor - b.processor)};
}

/// The cost of what this process does since it was made.
class CostWatch {
 public:
  [[nodiscard]] Cost elapsed() const {
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    return {seconds, processor_now() - processor_};
  }

 private:
  static double processor_now() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  double processor_ = processor_now();
};

}  // namespace fovea::estimate
