// Fovea: where the tensors of a backend live.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

namespace fovea {

/// The memory that a backend's kernels work on. Everything that is asked of it happens in the order in which it was asked,
/// kernels included. What it cannot do is a DeviceFailure.
class Memory {
 public:
  Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  virtual ~Memory() = default;

  /// Whether the host may read and write it: then nobody needs to copy anything.
  [[nodiscard]] virtual bool on_host() const = 0;
  /// Zeroed, aligned to kAlignment; null for 0 bytes.
  [[nodiscard]] virtual std::byte* allocate(std::size_t bytes) = 0;
  virtual void free(std::byte* data, std::size_t bytes) noexcept = 0;

  /// `source` may be changed as soon as this returns.
  virtual void upload(std::span<const std::byte> source, std::byte* target) = 0;
  /// The same beside what is computed: nothing that was asked for and not waited for may use `target`, and what is asked for
  /// from now on sees it.
  virtual void upload_beside(std::span<const std::byte> source, std::byte* target) { upload(source, target); }
  /// Waits for what computes `source`.
  virtual void download(const std::byte* source, std::span<std::byte> target) = 0;
  virtual void copy(const std::byte* source, std::byte* target, std::size_t bytes) = 0;
  virtual void zero(std::byte* target, std::size_t bytes) = 0;
  /// Waits for everything that was asked for.
  virtual void synchronise() = 0;
  /// Bytes that can still be had; nothing where that is not known.
  [[nodiscard]] virtual std::optional<std::uint64_t> free_bytes() const = 0;
  /// Held by who uses the device; null where threads may work side by side.
  [[nodiscard]] virtual std::mutex* turn() = 0;
};

/// The host's own. What the machine or the process's control group has no room for is a std::bad_alloc. `root`: where tests put
/// the files of another machine.
[[nodiscard]] std::shared_ptr<Memory> host_memory(std::filesystem::path root = "/");

/// Owned bytes of a Memory, zeroed at first.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(std::shared_ptr<Memory> memory, std::size_t bytes)
      : memory_(std::move(memory)), data_(memory_->allocate(bytes)), bytes_(bytes) {}
  DeviceBuffer(DeviceBuffer&& other) noexcept { swap(other); }
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept { return swap(other), *this; }
  ~DeviceBuffer() {
    if (data_ != nullptr) memory_->free(data_, bytes_);
  }

  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] float* f32() const { return reinterpret_cast<float*>(data_); }
  [[nodiscard]] std::size_t size() const { return bytes_; }

 private:
  void swap(DeviceBuffer& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }

  std::shared_ptr<Memory> memory_;
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace fovea
