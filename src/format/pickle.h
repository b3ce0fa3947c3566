// Fovea: Python's pickle format read as data. Nothing is imported, called or built but the values below.
// SPDX-License-Identifier: Apache-2.0
//
// The format: the comments of Lib/pickletools.py in CPython.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/file.h"
#include "fovea/result.h"

namespace fovea {

struct PickleValue;
using PickleRef = const PickleValue*;

struct PickleNone {};
/// An integer of more than 64 bits, little-endian two's complement.
struct PickleLong {
  Bytes bytes;
};
/// Well-formed UTF-8.
struct PickleText {
  std::string_view text;
};
struct PickleBytes {
  Bytes bytes;
};
struct PickleList {
  std::vector<PickleRef> items;
};
struct PickleTuple {
  std::vector<PickleRef> items;
};
struct PickleSet {
  std::vector<PickleRef> items;
};
/// Any mapping: dict, OrderedDict, defaultdict, Counter. Entries as they came; a repeated key is not merged.
struct PickleDict {
  std::vector<std::pair<PickleRef, PickleRef>> entries;
};
/// A class or function by name: never looked up.
struct PickleGlobal {
  std::string_view module;
  std::string_view name;
};
/// What Python would have built by calling `type`: here only what it would have been given.
struct PickleObject {
  PickleRef type = nullptr;       ///< a PickleGlobal
  PickleRef arguments = nullptr;  ///< a PickleTuple
  PickleRef state = nullptr;      ///< of BUILD; null when there was none
};
/// Something stored outside the pickle, named by `id`.
struct PicklePersistent {
  PickleRef id = nullptr;
};

struct PickleValue {
  std::variant<PickleNone, bool, std::int64_t, PickleLong, double, PickleText, PickleBytes, PickleList, PickleTuple, PickleSet,
               PickleDict, PickleGlobal, PickleObject, PicklePersistent>
      content;

  /// The content when it is a T, else null.
  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&content);
  }
};

/// "a list", "the global os.system": for messages.
[[nodiscard]] std::string_view kind_of(const PickleValue& value);

/// A pickle's values. They refer to one another, possibly in circles, and to the bytes they were read from, whose owner must
/// outlive them; all die together.
class Pickle {
 public:
  /// Reads one pickle (protocols 2 to 5) from the start of `bytes`, which may go on behind it. Refuses opcodes that torch does
  /// not write, operands of the wrong type, globals outside a list of harmless ones (by name), and more than
  /// `kOperationLimit` operations, which bounds memory to about 100 bytes each.
  static Result<Pickle> parse(Bytes bytes);

  static constexpr std::size_t kOperationLimit = 2'000'000;

  [[nodiscard]] const PickleValue& root() const { return *root_; }
  /// Bytes of the pickle itself.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Every value, referred to or not, in the order of creation.
  [[nodiscard]] const std::deque<PickleValue>& values() const { return values_; }

 private:
  friend class Unpickler;
  std::deque<PickleValue> values_;  // a deque does not move what it holds
  PickleRef root_ = nullptr;
  std::size_t size_ = 0;
};

/// Whether a pickle may name this class or function: those of torch, torchvision, ultralytics, collections and pathlib,
/// plain containers and scalars.
[[nodiscard]] bool is_harmless_global(std::string_view module, std::string_view name);

}  // namespace fovea
