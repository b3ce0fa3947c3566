// Fovea: a scale that is listened to in a thread of its own, and found again when it was unplugged.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "fovea/scale.h"
#include "scale/weight_text.h"

namespace fovea::checkout {

/// kUsage for settings that no scale can have.
Result<void> check_weight_options(const WeightOptions& options);

class Weigher {
 public:
  explicit Weigher(const WeightOptions& options);
  Weigher(const Weigher&) = delete;
  Weigher& operator=(const Weigher&) = delete;
  ~Weigher();

  struct Reading {
    Weight weight;
    std::chrono::steady_clock::time_point time{};
  };
  struct News {
    std::optional<Reading> reading;  ///< the last one since the last call
    std::vector<std::string> lost;   ///< why it was lost since the last call, a line each time
    bool found = false;              ///< it speaks again
    bool no_weight = false;          ///< since the last reading it has said that it cannot tell the weight
  };
  News take();

 private:
  void work();
  /// Listens until the scale is lost, and says why.
  std::string listen();
  std::string read_lines(int port);
  std::string read_reports(int port);
  void report(const WeightReport& report);
  void report_no_weight();
  [[nodiscard]] bool closing();

  WeightOptions options_;
  std::string path_;
  bool hid_ = false;
  std::mutex mutex_;
  std::condition_variable closed_changed_;
  bool closed_ = false;
  bool lost_ = false;
  News news_;
  // Of a scale that does not say when it is at rest.
  std::optional<double> resting_grams_;
  std::chrono::steady_clock::time_point resting_since_{};
  std::thread thread_;
};

}  // namespace fovea::checkout
