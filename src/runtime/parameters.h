// Fovea: the parameters and states of a network in flat buffers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/buffer.h"
#include "graph/graph.h"

namespace fovea {

class Executor;

/// One contiguous buffer of values and, when training, one of gradients with the same offsets: one optimiser pass, one
/// all-reduce, one write. Parameters come first, states after them, each in the order of the graph; every tensor starts on a
/// kAlignment boundary (the gaps hold zeros and stay zero).
class ParameterSet {
 public:
  struct Entry {
    std::string name;
    Shape shape;
    graph::Role role = graph::Role::kParameter;
    std::size_t offset = 0;  ///< in floats
    [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(shape.elements()); }
  };

  ParameterSet() = default;
  explicit ParameterSet(const graph::Graph& graph);

  [[nodiscard]] std::span<const Entry> entries() const { return entries_; }
  [[nodiscard]] const Entry* find(std::string_view name) const;
  [[nodiscard]] std::span<float> values(const Entry& entry) { return all().subspan(entry.offset, entry.size()); }
  [[nodiscard]] std::span<const float> values(const Entry& entry) const { return const_cast<ParameterSet*>(this)->values(entry); }
  [[nodiscard]] std::span<float> gradient(const Entry& entry) { return gradients().subspan(entry.offset, entry.size()); }

  /// Parameters and states.
  [[nodiscard]] std::span<float> all() { return values_.floats(); }
  [[nodiscard]] std::span<const float> all() const { return values_.floats(); }
  /// Parameters alone.
  [[nodiscard]] std::span<float> parameters() { return all().first(parameter_floats_); }
  [[nodiscard]] std::size_t parameter_floats() const { return parameter_floats_; }
  /// As long as parameters(); empty until allocate_gradients().
  [[nodiscard]] std::span<float> gradients() { return gradients_.floats().first(gradients_.size() == 0 ? 0 : parameter_floats_); }
  void allocate_gradients();

  /// Binds every parameter and state, and every gradient that is a bound output of the plan.
  void bind_to(Executor& executor);

 private:
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::size_t> index_;
  Buffer values_;
  Buffer gradients_;
  std::size_t parameter_floats_ = 0;
};

}  // namespace fovea
