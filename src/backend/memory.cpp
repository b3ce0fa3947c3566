// SPDX-License-Identifier: Apache-2.0
#include "backend/memory.h"

#include <cstring>

#include "core/buffer.h"

namespace fovea {
namespace {

class HostMemory final : public Memory {
 public:
  [[nodiscard]] bool on_host() const override { return true; }
  [[nodiscard]] std::byte* allocate(std::size_t bytes) override { return Buffer(bytes).release(); }
  void free(std::byte* data, std::size_t bytes) noexcept override { Unmap{bytes}(data); }
  void upload(std::span<const std::byte> source, std::byte* target) override { move(source.data(), target, source.size()); }
  void download(const std::byte* source, std::span<std::byte> target) override { move(source, target.data(), target.size()); }
  void copy(const std::byte* source, std::byte* target, std::size_t bytes) override { move(source, target, bytes); }
  void zero(std::byte* target, std::size_t bytes) override {
    if (bytes > 0) std::memset(target, 0, bytes);
  }
  void synchronise() override {}
  [[nodiscard]] std::optional<std::uint64_t> free_bytes() const override { return std::nullopt; }
  [[nodiscard]] std::mutex* turn() override { return nullptr; }

 private:
  static void move(const std::byte* source, std::byte* target, std::size_t bytes) {
    if (bytes > 0 && source != target) std::memmove(target, source, bytes);
  }
};

}  // namespace

std::shared_ptr<Memory> host_memory() { return std::make_shared<HostMemory>(); }

}  // namespace fovea
