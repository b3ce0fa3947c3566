// SPDX-License-Identifier: Apache-2.0
#include "format/checksum.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/hash.h"

namespace fovea {

std::string checksum_of(std::span<const StoredTensor> tensors, std::string_view text) {
  std::vector<const StoredTensor*> by_name;
  for (const StoredTensor& tensor : tensors) by_name.push_back(&tensor);
  std::ranges::sort(by_name, {}, &StoredTensor::name);
  std::uint64_t hash = hash64(text);
  for (const StoredTensor* tensor : by_name) hash = hash64(tensor->data, hash64(tensor->name, hash));
  return fmt::format("{:016x}", hash);
}

}  // namespace fovea
