// Fovea: the tensors of a torch file: views into stored bytes by offset, size and stride.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "format/pickle.h"
#include "format/weights.h"

namespace fovea {

/// The bytes of the storage with this key.
using TorchStorageSource = std::function<Result<Bytes>(std::string_view key)>;

/// ("storage", class, key, place, element count), as a persistent id names a storage.
struct TorchStorageId {
  DType dtype = DType::kF32;
  std::string_view key;
  std::int64_t elements = 0;
  std::size_t bytes = 0;
};
/// Fails with kFormat, or with kUnsupported for element types that Fovea does not know.
Result<TorchStorageId> parse_storage_id(const PicklePersistent& value);

/// Whether `value` stands for a tensor or parameter.
[[nodiscard]] bool is_torch_tensor(const PickleValue& value);

/// Collects tensors by name. Dense ones stay where they are; others (a transposed or channels-last layout) are copied,
/// but never more in all than `copy_limit` bytes, so that a stride of zero cannot blow up a small file.
class TorchTensors {
 public:
  TorchTensors(TorchStorageSource source, std::size_t copy_limit) : source_(std::move(source)), copies_left_(copy_limit) {}

  /// Refuses a name that was added before, a storage whose size is not what is declared, and a view that leaves its storage.
  Result<void> add(const std::string& name, const PickleValue& value);
  /// Everything added so far.
  [[nodiscard]] WeightContents take() && { return std::move(contents_); }

 private:
  struct Layout;
  Result<Bytes> storage(const TorchStorageId& id);
  Result<Bytes> dense(const Layout& layout, std::size_t item, Bytes stored);

  TorchStorageSource source_;
  std::size_t copies_left_;
  std::unordered_map<std::string_view, Bytes> storages_;
  std::unordered_set<std::string> names_;
  WeightContents contents_;
};

}  // namespace fovea
