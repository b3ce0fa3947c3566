// SPDX-License-Identifier: Apache-2.0
#include "runtime/parameters.h"

#include "graph/autodiff.h"
#include "runtime/executor.h"

namespace fovea {

ParameterSet::ParameterSet(const graph::Graph& graph) {
  constexpr std::size_t kFloatsPerLine = kAlignment / sizeof(float);
  std::size_t offset = 0;
  for (const graph::Role role : {graph::Role::kParameter, graph::Role::kState}) {
    for (const graph::Value& value : graph.values()) {
      if (value.role != role) continue;
      index_.emplace(value.name, entries_.size());
      entries_.push_back({value.name, value.shape, role, offset});
      offset += align_up(entries_.back().size(), kFloatsPerLine);
    }
    if (role == graph::Role::kParameter) parameter_floats_ = offset;
  }
  values_ = Buffer(offset * sizeof(float));
}

const ParameterSet::Entry* ParameterSet::find(std::string_view name) const {
  const auto found = index_.find(std::string(name));
  return found == index_.end() ? nullptr : &entries_[found->second];
}

void ParameterSet::allocate_gradients() {
  if (gradients_.size() == 0) gradients_ = Buffer(parameter_floats_ * sizeof(float));
}

void ParameterSet::bind_to(Executor& executor) {
  for (const Entry& entry : entries_) {
    executor.bind(entry.name, values(entry).data());
    if (entry.role == graph::Role::kParameter && gradients_.size() != 0) {
      executor.bind(graph::gradient_name(entry.name), gradient(entry).data());
    }
  }
}

}  // namespace fovea
