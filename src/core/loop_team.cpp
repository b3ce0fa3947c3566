// SPDX-License-Identifier: Apache-2.0
#include "core/loop_team.h"

#include <algorithm>
#include <chrono>

#include "core/range.h"

namespace fovea {
namespace {

/// As long as it takes to fall asleep and be woken a few times over.
constexpr auto kSpin = std::chrono::microseconds(100);
/// Pieces of a share that others may take.
constexpr std::int64_t kChunks = 64;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Until done(), but not for longer than kSpin.
template <class Done>
bool spin(const Done& done) {
  if (done()) return true;
  const auto until = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 32; ++i) {
      if (done()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < until);
  return false;
}

/// Of the calling thread: whether it is within a loop.
thread_local bool in_loop = false;

std::int64_t chunks_of(std::int64_t items) { return std::min(items, kChunks); }

}  // namespace

LoopTeam& LoopTeam::of_this_thread() {
  thread_local LoopTeam team;
  return team;
}

LoopTeam::LoopTeam() : shares_(std::make_unique<Share[]>(kMaxThreads)) {}

LoopTeam::~LoopTeam() {
  stop_ = true;
  ++loop_;
  loop_.notify_all();
  for (std::thread& thread : helpers_) thread.join();
}

void LoopTeam::run(int threads, std::int64_t count, Body body, const void* self) {
  threads = static_cast<int>(std::min<std::int64_t>({threads, count, kMaxThreads}));
  if (threads <= 1 || in_loop) {
    for (std::int64_t i = 0; i < count; ++i) body(self, i, 0);
    return;
  }
  while (static_cast<int>(helpers_.size()) < threads - 1) {
    const int worker = static_cast<int>(helpers_.size()) + 1;
    helpers_.emplace_back([this, worker] { helper(worker); });
  }
  in_loop = true;
  post(threads, count, body, self);
  work(0, loop_.load(std::memory_order_relaxed));
  await_end();
  in_loop = false;
}

void LoopTeam::post(int threads, std::int64_t count, Body body, const void* self) {
  const std::uint32_t loop = loop_.load(std::memory_order_relaxed) + 1;
  body_.store(body, std::memory_order_relaxed);
  self_.store(self, std::memory_order_relaxed);
  count_.store(count, std::memory_order_relaxed);
  threads_.store(threads, std::memory_order_relaxed);
  std::int64_t chunks = 0;
  for (int owner = 0; owner < threads; ++owner) chunks += chunks_of(part_of(count, threads, owner).size());
  unfinished_.store(static_cast<std::uint32_t>(chunks), std::memory_order_relaxed);
  for (int owner = 0; owner < threads; ++owner) {
    const auto end = static_cast<std::uint64_t>(chunks_of(part_of(count, threads, owner).size()));
    shares_[static_cast<std::size_t>(owner)].left.store(std::uint64_t{loop} << 32 | end, std::memory_order_release);
  }
  loop_.store(loop);
  loop_.notify_all();
}

void LoopTeam::await_end() {
  const auto ended = [&] { return unfinished_.load(std::memory_order_acquire) == 0; };
  if (spin(ended)) return;
  while (const std::uint32_t left = unfinished_.load(std::memory_order_acquire))
    unfinished_.wait(left, std::memory_order_acquire);
}

void LoopTeam::helper(int worker) {
  in_loop = true;
  std::uint32_t seen = 0;
  while (true) {
    const auto posted = [&] { return loop_.load(std::memory_order_acquire) != seen; };
    if (!spin(posted)) loop_.wait(seen, std::memory_order_acquire);
    seen = loop_.load(std::memory_order_acquire);
    if (stop_) return;
    if (worker < threads_.load(std::memory_order_relaxed)) work(worker, seen);
  }
}

void LoopTeam::work(int worker, std::uint32_t loop) {
  const int threads = threads_.load(std::memory_order_relaxed);
  for (int i = 0; i < threads; ++i) {
    const int owner = (worker + i) % threads;
    while (run_one(shares_[static_cast<std::size_t>(owner)], owner, worker, loop)) {
    }
  }
}

// The owner takes its chunks from the front, the others from the back.
bool LoopTeam::run_one(Share& share, int owner, int worker, std::uint32_t loop) {
  std::uint64_t left = share.left.load(std::memory_order_acquire);
  std::int64_t chunk = 0;
  std::uint64_t rest = 0;
  do {
    const std::uint64_t next = left >> 16 & 0xFFFF, end = left & 0xFFFF;
    if (left >> 32 != loop || next >= end) return false;
    chunk = static_cast<std::int64_t>(worker == owner ? next : end - 1);
    rest = worker == owner ? left + (std::uint64_t{1} << 16) : left - 1;
  } while (!share.left.compare_exchange_weak(left, rest, std::memory_order_acq_rel, std::memory_order_acquire));
  const Body body = body_.load(std::memory_order_relaxed);
  const void* const self = self_.load(std::memory_order_relaxed);
  const Range mine = part_of(count_.load(std::memory_order_relaxed), threads_.load(std::memory_order_relaxed), owner);
  const Range items = part_of(mine.size(), chunks_of(mine.size()), chunk);
  for (std::int64_t i = items.begin; i < items.end; ++i) body(self, mine.begin + i, worker);
  if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_one();
  return true;
}

}  // namespace fovea
