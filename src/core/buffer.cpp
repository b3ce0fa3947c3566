// SPDX-License-Identifier: Apache-2.0
#include "core/buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <new>

namespace fovea {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::byte* map(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::byte*>(memory);
}

bool takes_huge_pages(std::size_t bytes) { return bytes >= 2 * kHugePage; }

/// Begins where a huge page can: what lies before the first of them would be had page by page.
std::byte* map_huge(std::size_t bytes) {
  std::byte* const all = map(bytes + kHugePage);
  const auto address = reinterpret_cast<std::uintptr_t>(all);
  const std::size_t before = align_up(address, kHugePage) - address;
  std::byte* const memory = all + before;
  if (before > 0) ::munmap(all, before);
  if (before < kHugePage) ::munmap(memory + bytes, kHugePage - before);
  ::madvise(memory, bytes, MADV_HUGEPAGE);  // a hint: failure changes nothing
  return memory;
}

}  // namespace

std::size_t mapped_bytes(std::size_t bytes) {
  const std::size_t whole = align_up(bytes, kHugePage);
  if (takes_huge_pages(bytes) && whole - bytes < kHugePage / 2) return whole;
  return align_up(bytes, static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)));
}

Buffer::Buffer(std::size_t bytes) {
  if (bytes == 0) return;
  const std::size_t mapped = mapped_bytes(bytes);
  data_ = {takes_huge_pages(bytes) ? map_huge(mapped) : map(mapped), FreeBuffer{bytes}};
}

void FreeBuffer::operator()(std::byte* data) const noexcept { ::munmap(data, mapped_bytes(bytes)); }

}  // namespace fovea
