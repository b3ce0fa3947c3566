// SPDX-License-Identifier: Apache-2.0
#include "backend/memory.h"

#include <cstring>
#include <new>
#include <utility>

#include "core/available_memory.h"
#include "core/buffer.h"

namespace fovea {
namespace {

class HostMemory final : public Memory {
 public:
  explicit HostMemory(std::filesystem::path root) : root_(std::move(root)) {}

  [[nodiscard]] bool on_host() const override { return true; }
  /// Linux hands out more than it has and kills who then writes to it. So where there is little, a block is written at once: what
  /// is free next time is true.
  [[nodiscard]] std::byte* allocate(std::size_t bytes) override {
    constexpr std::size_t kCounted = std::size_t{1} << 20;
    constexpr std::uint64_t kPlenty = std::uint64_t{2} << 30;
    if (bytes < kCounted) return Buffer(bytes).release();
    const std::uint64_t free = free_bytes().value_or(kPlenty);
    if (bytes > free) throw std::bad_alloc();
    Buffer buffer(bytes);
    if (free < kPlenty) zero(buffer.data(), bytes);
    return buffer.release();
  }
  void free(std::byte* data, std::size_t bytes) noexcept override { FreeBuffer{bytes}(data); }
  void upload(std::span<const std::byte> source, std::byte* target) override { move(source.data(), target, source.size()); }
  void download(const std::byte* source, std::span<std::byte> target) override { move(source, target.data(), target.size()); }
  void copy(const std::byte* source, std::byte* target, std::size_t bytes) override { move(source, target, bytes); }
  void zero(std::byte* target, std::size_t bytes) override {
    if (bytes > 0) std::memset(target, 0, bytes);
  }
  void synchronise() override {}
  [[nodiscard]] std::optional<std::uint64_t> free_bytes() const override {
    const std::int64_t available = available_memory(root_);
    return available > 0 ? std::optional(static_cast<std::uint64_t>(available)) : std::nullopt;
  }
  [[nodiscard]] std::mutex* turn() override { return nullptr; }

 private:
  std::filesystem::path root_;

  static void move(const std::byte* source, std::byte* target, std::size_t bytes) {
    if (bytes > 0 && source != target) std::memmove(target, source, bytes);
  }
};

}  // namespace

std::shared_ptr<Memory> host_memory(std::filesystem::path root) { return std::make_shared<HostMemory>(std::move(root)); }

}  // namespace fovea
