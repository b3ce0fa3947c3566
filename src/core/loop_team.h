// Fovea: the threads that help one thread through its parallel loops.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace fovea {

/// A thread and its helpers. A loop is dealt out in fixed, contiguous shares, so that memory stays near its thread; who has done
/// his own takes what is left of another's, so that a helper whose processor is busy elsewhere holds nobody up. Who waits spins
/// for kSpin and then sleeps: neither does a short loop pay for waking a thread, nor a busy machine for threads that wait.
class LoopTeam {
 public:
  using Body = void (*)(const void* self, std::int64_t item, int worker);
  /// More threads than this are not used.
  static constexpr int kMaxThreads = 256;

  /// That of the calling thread, made when first needed and ended with it.
  static LoopTeam& of_this_thread();

  LoopTeam();
  ~LoopTeam();
  LoopTeam(const LoopTeam&) = delete;
  LoopTeam& operator=(const LoopTeam&) = delete;

  /// Calls body(self, i, worker) for i in [0, count) on up to `threads` threads, worker being below `threads` and 0 the caller;
  /// returns when all are done. A loop within a loop stays on its thread, as worker 0.
  void run(int threads, std::int64_t count, Body body, const void* self);

 private:
  /// What is left of a thread's share: loop << 32 | next chunk << 16 | end. With the loop's number in it, a helper that comes
  /// late cannot take part in the next loop by mistake.
  struct alignas(64) Share {
    std::atomic<std::uint64_t> left{0};
  };

  void helper(int worker);
  void work(int worker, std::uint32_t loop);
  bool run_one(Share& share, int owner, int worker, std::uint32_t loop);
  void post(int threads, std::int64_t count, Body body, const void* self);
  void await_end();

  // Of the current loop. Helpers may read them too late, but then have nothing to take any more.
  std::atomic<Body> body_{nullptr};
  std::atomic<const void*> self_{nullptr};
  std::atomic<std::int64_t> count_{0};
  std::atomic<int> threads_{0};
  std::unique_ptr<Share[]> shares_;
  alignas(64) std::atomic<std::uint32_t> loop_{0};        ///< its number; 0 before the first
  alignas(64) std::atomic<std::uint32_t> unfinished_{0};  ///< chunks
  std::atomic<bool> stop_{false};
  std::vector<std::thread> helpers_;
};

}  // namespace fovea
