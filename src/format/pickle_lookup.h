// Fovea: short ways to ask for a value inside a pickle.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <ranges>
#include <string_view>

#include "format/pickle.h"

namespace fovea {

/// The value of a text key: the last, as in Python, when it repeats. Null without.
[[nodiscard]] inline PickleRef find_key(const PickleDict& dict, std::string_view key) {
  for (const auto& [name, value] : std::views::reverse(dict.entries)) {
    const auto* text = name->as<PickleText>();
    if (text != nullptr && text->text == key) return value;
  }
  return nullptr;
}

/// The same when the value must be a T. Null when it is something else.
template <class T>
[[nodiscard]] const T* find_as(const PickleDict& dict, std::string_view key) {
  const PickleRef value = find_key(dict, key);
  return value == nullptr ? nullptr : value->as<T>();
}

/// Empty when there is no such text.
[[nodiscard]] inline std::string_view find_text(const PickleDict& dict, std::string_view key) {
  const auto* text = find_as<PickleText>(dict, key);
  return text == nullptr ? std::string_view() : text->text;
}

/// An integer or a float.
[[nodiscard]] inline std::optional<double> number_of(PickleRef value) {
  if (value == nullptr) return std::nullopt;
  if (const auto* real = value->as<double>()) return *real;
  if (const auto* integer = value->as<std::int64_t>()) return static_cast<double>(*integer);
  return std::nullopt;
}

/// The items of a list or tuple; null for anything else.
[[nodiscard]] inline const std::vector<PickleRef>* items_of(const PickleValue& value) {
  if (const auto* list = value.as<PickleList>()) return &list->items;
  if (const auto* tuple = value.as<PickleTuple>()) return &tuple->items;
  return nullptr;
}

}  // namespace fovea
