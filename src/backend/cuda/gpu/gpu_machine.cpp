// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/gpu/gpu_machine.h"

#include <fmt/format.h>

#include <utility>

#include "backend/cuda/gpu/blas_products.h"
#include "backend/cuda/gpu/gpu_lane.h"
#include "backend/cuda/gpu/gpu_memory.h"
#include "backend/gpu_precisions.h"
#include "core/device_failure.h"
#include "core/error.h"

namespace fovea::cuda {
namespace {

/// The state of the run in the GPU's memory.
struct GpuState {
  explicit GpuState(std::shared_ptr<GpuMemory> in) : memory(std::move(in)), cell(memory, sizeof(StepState)) {}
  void set(const RunState& state) {
    const StepState now{.seed = state.seed, .step = state.step, .first_row = state.first_row};
    memory->upload(std::as_bytes(std::span(&now, 1)), cell.data());
  }

  std::shared_ptr<GpuMemory> memory;
  DeviceBuffer cell;
  bool recording = false;
};

class GraphRecording final : public Recording {
 public:
  GraphRecording(std::shared_ptr<GpuState> state, RunnableGraphHandle graph)
      : state_(std::move(state)), graph_(std::move(graph)) {}
  void replay(const RunState& state) override {
    state_->set(state);
    check(cudaGraphLaunch(graph_.get(), state_->memory->stream()), "starting a recorded run");
  }

 private:
  std::shared_ptr<GpuState> state_;
  RunnableGraphHandle graph_;
};

class GraphRecorder final : public Recorder {
 public:
  explicit GraphRecorder(std::shared_ptr<GpuState> state) : state_(std::move(state)) {}

  Result<std::unique_ptr<Recording>> record(const std::function<void()>& run) override {
    const cudaStream_t stream = state_->memory->stream();
    try {
      check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "recording a run");
      GraphHandle graph = capture(run, stream);
      RunnableGraphHandle runnable;
      check(cudaGraphInstantiate(runnable.out(), graph.get(), 0), "making a recorded run ready");
      return std::unique_ptr<Recording>(std::make_unique<GraphRecording>(state_, std::move(runnable)));
    } catch (const DeviceFailure& failure) {
      return fail(Error::Kind::kUnsupported, "{}", failure.what());
    }
  }

 private:
  /// Ends the capture whatever happens.
  GraphHandle capture(const std::function<void()>& run, cudaStream_t stream) {
    GraphHandle graph;
    state_->recording = true;
    try {
      run();
    } catch (...) {
      state_->recording = false;
      (void)cudaStreamEndCapture(stream, graph.out());
      (void)cudaGetLastError();
      throw;
    }
    state_->recording = false;
    check(cudaStreamEndCapture(stream, graph.out()), "recording a run");
    return graph;
  }

  std::shared_ptr<GpuState> state_;
};

class GpuMachine final : public Machine {
 public:
  GpuMachine(int device, const cudaDeviceProp& properties)
      : properties_(properties),
        memory_(std::make_shared<GpuMemory>(device)),
        state_(std::make_shared<GpuState>(memory_)),
        recorder_(std::make_shared<GraphRecorder>(state_)),
        products_(memory_) {}

  [[nodiscard]] std::string name() const override { return "cuda"; }
  [[nodiscard]] Stream stream() const override { return memory_->stream(); }
  [[nodiscard]] std::shared_ptr<Memory> memory() const override { return memory_; }
  [[nodiscard]] std::shared_ptr<Recorder> recorder() const override { return recorder_; }
  [[nodiscard]] Products& products() override { return products_; }
  [[nodiscard]] std::size_t cache_bytes() const override { return static_cast<std::size_t>(properties_.l2CacheSize) / 2; }
  [[nodiscard]] bool has(graph::Precision precision) const override {
    return properties_.major + properties_.minor / 10.0 >= least_capability(precision);
  }
  [[nodiscard]] std::unique_ptr<Lane> make_lane() const override { return make_gpu_lane(memory_); }
  [[nodiscard]] const StepState* state() const override { return reinterpret_cast<const StepState*>(state_->cell.data()); }
  void set_state(const RunState& state) override {
    if (!state_->recording) state_->set(state);
  }

 private:
  cudaDeviceProp properties_;
  std::shared_ptr<GpuMemory> memory_;
  std::shared_ptr<GpuState> state_;
  std::shared_ptr<GraphRecorder> recorder_;
  BlasProducts products_;
};

}  // namespace

std::shared_ptr<Machine> make_gpu_machine(int device) {
  int count = 0;
  check(cudaGetDeviceCount(&count), "counting the GPUs");
  if (device < 0 || device >= count) {
    throw DeviceFailure(DeviceFailure::Kind::kLost, fmt::format("there is no GPU {}: CUDA sees {}", device, count));
  }
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "asking the GPU what it is");
  return std::make_shared<GpuMachine>(device, properties);
}

}  // namespace fovea::cuda
