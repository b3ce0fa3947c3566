// SPDX-License-Identifier: Apache-2.0
#include "core/buffer.h"

#include <sys/mman.h>

#include <new>

namespace fovea {

Buffer::Buffer(std::size_t bytes) {
  if (bytes == 0) return;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  if (bytes >= 4 * kHugePage) ::madvise(memory, bytes, MADV_HUGEPAGE);  // a hint: failure changes nothing
  data_ = Mapping<std::byte>(static_cast<std::byte*>(memory), Unmap{bytes});
}

void Unmap::operator()(const std::byte* data) const { ::munmap(const_cast<std::byte*>(data), bytes); }

}  // namespace fovea
