// Fovea: the memory of a GPU.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "backend/cuda/gpu/check.h"
#include "backend/memory.h"

namespace fovea::cuda {

/// Of GPU `device`; everything happens in `stream`, which it owns.
class GpuMemory final : public Memory {
 public:
  explicit GpuMemory(int device);
  ~GpuMemory() override;

  [[nodiscard]] bool on_host() const override { return false; }
  [[nodiscard]] std::byte* allocate(std::size_t bytes) override;
  void free(std::byte* data, std::size_t bytes) noexcept override;
  void upload(std::span<const std::byte> source, std::byte* target) override;
  void upload_beside(std::span<const std::byte> source, std::byte* target) override;
  void download(const std::byte* source, std::span<std::byte> target) override;
  void copy(const std::byte* source, std::byte* target, std::size_t bytes) override;
  void zero(std::byte* target, std::size_t bytes) override;
  void synchronise() override;
  [[nodiscard]] std::optional<std::uint64_t> free_bytes() const override;
  [[nodiscard]] std::mutex* turn() override;

  [[nodiscard]] cudaStream_t stream() const { return stream_.get(); }
  /// CUDA keeps a current device for each thread.
  void make_current() const;

 private:
  void upload(std::span<const std::byte> source, std::byte* target, cudaStream_t stream);

  int device_;
  bool reads_host_pages_;  ///< by the host's own page tables: then also while a copy of them goes on
  StreamHandle stream_;
  StreamHandle side_;  ///< of what goes on beside
  EventHandle arrived_;
  std::mutex turn_;
};

}  // namespace fovea::cuda
