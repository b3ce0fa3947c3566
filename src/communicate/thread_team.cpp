// SPDX-License-Identifier: Apache-2.0
#include "communicate/thread_team.h"

#include <algorithm>
#include <cassert>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "core/error.h"
#include "core/parallel.h"

namespace fovea {
namespace {

/// Where the members meet.
class Meeting {
 public:
  explicit Meeting(int size) : values_(static_cast<std::size_t>(size)) {}

  [[nodiscard]] int size() const { return static_cast<int>(values_.size()); }
  [[nodiscard]] std::span<float>& values(int rank) { return values_[static_cast<std::size_t>(rank)]; }

  /// Returns when all have come. Who comes after somebody has left gets an error; a meeting that was complete stays so.
  Result<void> meet() {
    std::unique_lock lock(mutex_);
    if (left_) return gone();
    const std::uint64_t mine = meetings_;
    if (++here_ == size()) {
      here_ = 0;
      ++meetings_;
      all_here_.notify_all();
      return {};
    }
    all_here_.wait(lock, [&] { return meetings_ != mine || left_; });
    return meetings_ != mine ? Result<void>() : gone();
  }

  void leave() {
    {
      const std::lock_guard lock(mutex_);
      left_ = true;
    }
    all_here_.notify_all();
  }

 private:
  static Result<void> gone() { return fail(Error::Kind::kCancelled, "another trainer of the team has stopped"); }

  std::mutex mutex_;
  std::condition_variable all_here_;
  std::vector<std::span<float>> values_;  ///< by rank
  int here_ = 0;
  std::uint64_t meetings_ = 0;
  bool left_ = false;
};

class ThreadMember final : public Communicator {
 public:
  ThreadMember(std::shared_ptr<Meeting> meeting, int rank) : meeting_(std::move(meeting)), rank_(rank) {}
  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return meeting_->size(); }

  Result<void> broadcast(std::span<float> values) override {
    FOVEA_TRY(show(values));
    if (rank_ != 0) std::ranges::copy(meeting_->values(0), values.begin());
    return meeting_->meet();
  }

  // Each member sums one part of the places for all, then everybody fetches the other parts.
  Result<void> all_reduce_sum(std::span<float> values) override {
    FOVEA_TRY(show(values));
    const Range own = part(rank_, values.size());
    for (std::int64_t i = own.begin; i < own.end; ++i) {
      const auto at = static_cast<std::size_t>(i);
      float sum = meeting_->values(0)[at];
      for (int other = 1; other < size(); ++other) sum += meeting_->values(other)[at];
      values[at] = sum;
    }
    FOVEA_TRY(meeting_->meet());
    for (int other = 0; other < size(); ++other) {
      if (other == rank_) continue;
      const Range range = part(other, values.size());
      std::copy_n(meeting_->values(other).data() + range.begin, range.size(), values.data() + range.begin);
    }
    return meeting_->meet();
  }

  void leave() override { meeting_->leave(); }

 private:
  [[nodiscard]] Range part(int rank, std::size_t total) const { return part_of(static_cast<std::int64_t>(total), size(), rank); }

  /// When it returns, everybody's values are known to everybody.
  Result<void> show(std::span<float> values) {
    meeting_->values(rank_) = values;
    FOVEA_TRY(meeting_->meet());
    assert(meeting_->values(0).size() == values.size() && "every member must give as many values");
    return {};
  }

  std::shared_ptr<Meeting> meeting_;
  int rank_;
};

}  // namespace

std::vector<std::unique_ptr<Communicator>> make_thread_team(int size) {
  const auto meeting = std::make_shared<Meeting>(size);
  std::vector<std::unique_ptr<Communicator>> members;
  members.reserve(static_cast<std::size_t>(size));
  for (int rank = 0; rank < size; ++rank) members.push_back(std::make_unique<ThreadMember>(meeting, rank));
  return members;
}

}  // namespace fovea
