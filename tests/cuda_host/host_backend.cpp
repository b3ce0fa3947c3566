// SPDX-License-Identifier: Apache-2.0
#include "cuda_host/host_backend.h"

#include <atomic>
#include <future>
#include <utility>

#include "backend/cuda/backend.h"
#include "backend/registry.h"
#include "core/device_failure.h"
#include "core/error.h"
#include "cuda_host/plain_products.h"

namespace fovea::test {
namespace {

/// The host's memory with an end to it, which claims to be out of the host's reach, so whoever reads it without asking computes
/// nothing that is compared. As on a GPU, what is asked of it makes its device the calling thread's.
class FarMemory final : public Memory {
 public:
  FarMemory(std::size_t room, std::vector<bool>* waits) : room_(room), waits_(waits) {}
  [[nodiscard]] bool on_host() const override { return false; }
  [[nodiscard]] std::byte* allocate(std::size_t bytes) override {
    make_current();
    std::size_t room = room_;
    do {
      if (bytes > room) throw DeviceFailure(DeviceFailure::Kind::kOutOfMemory, fmt::format("{} bytes of {}", bytes, room));
    } while (!room_.compare_exchange_weak(room, room - bytes));
    return host_->allocate(bytes);
  }
  void free(std::byte* data, std::size_t bytes) noexcept override {
    make_current();
    host_->free(data, bytes);
    room_ += bytes;
  }
  void upload(std::span<const std::byte> source, std::byte* target) override {
    make_current();
    host_->upload(source, target);
  }
  void download(const std::byte* source, std::span<std::byte> target) override {
    make_current();
    host_->download(source, target);
  }
  void copy(const std::byte* source, std::byte* target, std::size_t bytes) override {
    make_current();
    host_->copy(source, target, bytes);
  }
  void zero(std::byte* target, std::size_t bytes) override {
    make_current();
    host_->zero(target, bytes);
  }
  void synchronise() override {
    make_current();
    if (waits_ != nullptr) waits_->push_back(is_taken());
  }
  [[nodiscard]] std::optional<std::uint64_t> free_bytes() const override {
    make_current();
    return room_;
  }
  [[nodiscard]] std::mutex* turn() override {
    make_current();
    return &turn_;
  }

  void make_current() const { current_ = this; }
  void expect_current() const {
    if (current_ != this) throw DeviceFailure(DeviceFailure::Kind::kLost, "the calling thread works on another device");
  }

 private:
  /// Asked by another thread: one that has it may not try.
  bool is_taken() {
    return std::async(std::launch::async, [this] { return !std::unique_lock(turn_, std::try_to_lock).owns_lock(); }).get();
  }

  static thread_local const FarMemory* current_;
  std::shared_ptr<Memory> host_ = host_memory();
  std::atomic<std::size_t> room_;  // lanes allocate in threads of their own
  std::vector<bool>* waits_;
  std::mutex turn_;
};
thread_local const FarMemory* FarMemory::current_ = nullptr;

/// The state of the run, and whether a recording gives it.
struct State {
  cuda::StepState now;
  bool recorded = false;
  void set(const RunState& state) { now = {.seed = state.seed, .step = state.step, .first_row = state.first_row}; }
};

/// Replays by calling again what was recorded, with the state of the replay.
class CallingRecorder final : public Recorder {
 public:
  explicit CallingRecorder(std::shared_ptr<State> state) : state_(std::move(state)) {}
  Result<std::unique_ptr<Recording>> record(const std::function<void()>& run) override {
    return std::unique_ptr<Recording>(std::make_unique<Again>(state_, run));
  }

 private:
  class Again final : public Recording {
   public:
    Again(std::shared_ptr<State> state, std::function<void()> run) : state_(std::move(state)), run_(std::move(run)) {}
    void replay(const RunState& state) override {
      state_->set(state);
      state_->recorded = true;
      run_();
      state_->recorded = false;
    }

   private:
    std::shared_ptr<State> state_;
    std::function<void()> run_;
  };
  std::shared_ptr<State> state_;
};

class HostLane final : public cuda::Lane {
 public:
  HostLane(std::shared_ptr<FarMemory> memory, cuda::Stream stream) : memory_(std::move(memory)), stream_(stream) {}
  [[nodiscard]] cuda::Stream stream() const override {
    memory_->expect_current();
    return stream_;
  }
  [[nodiscard]] std::byte* room(std::size_t bytes) override {
    memory_->make_current();
    if (bytes > room_.size()) room_ = DeviceBuffer(memory_, bytes);
    return room_.data();
  }
  void upload(std::span<const std::byte> source, std::byte* target) override { memory_->upload(source, target); }
  void download(const std::byte* source, std::span<std::byte> target) override { memory_->download(source, target); }

 private:
  std::shared_ptr<FarMemory> memory_;
  cuda::Stream stream_;
  DeviceBuffer room_;
};

class HostMachine final : public cuda::Machine {
 public:
  explicit HostMachine(const HostBackendOptions& options)
      : options_(options),
        stream_{options.order},
        memory_(std::make_shared<FarMemory>(options.memory_bytes, options.waits)),
        products_(options.products) {}

  [[nodiscard]] std::string name() const override { return "cuda-host"; }
  [[nodiscard]] cuda::Stream stream() const override {
    memory_->expect_current();
    return stream_here();
  }
  [[nodiscard]] std::shared_ptr<Memory> memory() const override { return memory_; }
  [[nodiscard]] std::shared_ptr<Recorder> recorder() const override { return std::make_shared<CallingRecorder>(state_); }
  [[nodiscard]] cuda::Products& products() override {
    memory_->expect_current();
    return products_;
  }
  [[nodiscard]] std::size_t cache_bytes() const override { return options_.cache_bytes; }
  [[nodiscard]] bool has(graph::Precision /*precision*/) const override { return true; }
  [[nodiscard]] std::unique_ptr<cuda::Lane> make_lane() const override {
    return std::make_unique<HostLane>(memory_, stream_here());
  }
  [[nodiscard]] std::vector<std::string> nvjpeg_files() const override {
    return {options_.nvjpeg == nullptr ? "libnvjpeg-that-is-nowhere.so" : options_.nvjpeg};
  }
  [[nodiscard]] const cuda::StepState* state() const override { return &state_->now; }
  void set_state(const RunState& state) override {
    if (!state_->recorded) state_->set(state);
  }

 private:
  [[nodiscard]] cuda::Stream stream_here() const { return const_cast<CUstream_st*>(&stream_); }

  HostBackendOptions options_;
  CUstream_st stream_;
  std::shared_ptr<FarMemory> memory_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
  PlainProducts products_;
};

}  // namespace

std::unique_ptr<Backend> make_cuda_host_backend(const HostBackendOptions& options) {
  return cuda::make_backend(std::make_shared<HostMachine>(options));
}

Result<std::unique_ptr<Backend>> make_any_backend(std::string_view name) {
  if (name == "cuda-host") return make_cuda_host_backend();
  return make_backend(name);
}

}  // namespace fovea::test
