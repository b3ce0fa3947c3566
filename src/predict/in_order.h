// Fovea: answers of many threads, handed on in the order of the photos.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <utility>

#include "fovea/classifier.h"

namespace fovea {

/// One that comes before its turn waits here; whoever brings the one that is due hands on all that follow it without a gap.
class InOrder {
 public:
  /// `on_answer` must outlive this. It is called by one thread at a time, and no more once it has returned false.
  explicit InOrder(const Classifier::OnAnswer& on_answer) : on_answer_(on_answer) {}

  void put(std::size_t index, Result<Answer> answer) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(index, std::move(answer));
    for (auto due = waiting_.begin(); due != waiting_.end() && due->first == next_ && !ended_; due = waiting_.begin()) {
      ended_ = !on_answer_(due->first, due->second);
      waiting_.erase(due);
      ++next_;
    }
  }

  /// Set when no more answers are wanted.
  [[nodiscard]] const std::atomic<bool>& ended() const { return ended_; }

 private:
  const Classifier::OnAnswer& on_answer_;
  std::mutex mutex_;
  std::map<std::size_t, Result<Answer>> waiting_;
  std::size_t next_ = 0;
  std::atomic<bool> ended_ = false;
};

}  // namespace fovea
