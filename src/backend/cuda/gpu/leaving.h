// Fovea: how a member leaves a team whose connections end with it, whatever the others are doing.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace fovea::cuda {

/// Safe for any number of threads.
class Leaving {
 public:
  /// Using something ends within `longest`, unless it waits for others.
  explicit Leaving(std::chrono::milliseconds longest = std::chrono::seconds(2)) : longest_(longest) {}

  [[nodiscard]] bool left() const {
    const std::lock_guard lock(mutex_);
    return left_;
  }

  /// What use() answers; nothing if somebody has left by then, and not even called if that was before.
  template <class Use>
  auto unless_left(const Use& use) -> std::optional<decltype(use())> {
    {
      const std::lock_guard lock(mutex_);
      if (left_) return std::nullopt;
      ++using_;
    }
    auto answer = use();
    const std::lock_guard lock(mutex_);
    --using_;
    none_uses_.notify_all();
    return left_ ? std::nullopt : std::optional(std::move(answer));
  }

  /// Calls end(), which releases who waits within unless_left(); only the first time. From then on nobody begins to use anything,
  /// and who has begun is given the time to end.
  template <class End>
  void leave(const End& end) {
    {
      std::unique_lock lock(mutex_);
      if (std::exchange(left_, true)) return;
      none_uses_.wait_for(lock, longest_, [this] { return using_ == 0; });
    }
    end();
  }

 private:
  std::chrono::milliseconds longest_;
  mutable std::mutex mutex_;
  std::condition_variable none_uses_;
  int using_ = 0;
  bool left_ = false;
};

}  // namespace fovea::cuda
