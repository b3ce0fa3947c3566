// SPDX-License-Identifier: Apache-2.0
#include "contract/case.h"

#include <algorithm>

namespace fovea::contract {
namespace {

/// Made on first use: suites list themselves before main, in no order.
std::vector<const Suite*>& suites() {
  static std::vector<const Suite*> list;
  return list;
}

}  // namespace

Suite::Suite(std::string_view name, Cases tests, Cases speed) : name_(name), tests_(tests), speed_(speed) {
  suites().push_back(this);
}

std::vector<const Suite*> Suite::all() {
  std::vector<const Suite*> sorted = suites();
  std::ranges::sort(sorted, {}, &Suite::name);
  return sorted;
}

Case kept_rounded(Case source, DType type) {
  source.name += fmt::format("_kept_{}", short_name(type));
  source.differentiable = nullptr;
  source.result = type;
  for (Input& input : source.inputs) {
    if (input.role == graph::Role::kInput) input.dtype = type;
  }
  return source;
}

}  // namespace fovea::contract
