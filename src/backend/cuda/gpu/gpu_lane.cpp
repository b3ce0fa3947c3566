// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/gpu/gpu_lane.h"

#include <utility>

namespace fovea::cuda {
namespace {

class GpuLane final : public Lane {
 public:
  explicit GpuLane(std::shared_ptr<GpuMemory> memory) : memory_(std::move(memory)) {
    memory_->make_current();
    check(cudaStreamCreateWithFlags(stream_.out(), cudaStreamNonBlocking), "making a stream");
  }
  ~GpuLane() override { leave_room(); }

  [[nodiscard]] Stream stream() const override { return stream_.get(); }
  [[nodiscard]] std::byte* room(std::size_t bytes) override {
    memory_->make_current();
    if (bytes <= bytes_) return room_;
    leave_room();
    // Not the backend's allocate(), which clears in its own stream: that may be recording just now.
    void* data = nullptr;
    check(cudaMalloc(&data, bytes + bytes / 4), "reserving memory for a photo");
    room_ = static_cast<std::byte*>(data);
    bytes_ = bytes + bytes / 4;
    return room_;
  }
  void upload(std::span<const std::byte> source, std::byte* target) override {
    check(cudaMemcpyAsync(target, source.data(), source.size(), cudaMemcpyHostToDevice, stream_.get()), "copying to the GPU");
  }
  void download(const std::byte* source, std::span<std::byte> target) override {
    check(cudaMemcpyAsync(target.data(), source, target.size(), cudaMemcpyDeviceToHost, stream_.get()), "copying from the GPU");
    check(cudaStreamSynchronize(stream_.get()), "decoding a photo");
  }

 private:
  void leave_room() {
    if (room_ != nullptr) memory_->free(std::exchange(room_, nullptr), std::exchange(bytes_, 0));
  }

  std::shared_ptr<GpuMemory> memory_;
  StreamHandle stream_;
  std::byte* room_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace

std::unique_ptr<Lane> make_gpu_lane(std::shared_ptr<GpuMemory> memory) { return std::make_unique<GpuLane>(std::move(memory)); }

}  // namespace fovea::cuda
