// SPDX-License-Identifier: Apache-2.0
#include "format/torch_module.h"

#include <unordered_set>

#include "core/error.h"
#include "format/pickle_lookup.h"
#include "format/torch_tensor.h"

namespace fovea {
namespace {

constexpr std::size_t kDepthLimit = 64;
constexpr std::size_t kNameLimit = 512;
constexpr std::size_t kMemberLimit = 200'000;
constexpr std::size_t kWorkLimit = 4'000'000;

class ModuleWalk {
 public:
  TorchModule found;

  Result<void> visit(const PickleValue& module, const std::string& prefix, std::size_t depth) {
    const PickleDict* attributes = module_attributes(module);
    if (attributes == nullptr) {
      return fail(Error::Kind::kFormat, "module '{}': {}, expected a module", printable(prefix), kind_of(module));
    }
    if (depth > kDepthLimit)
      return fail(Error::Kind::kLimit, "module '{}': nested more than {} deep", printable(prefix), kDepthLimit);
    FOVEA_TRY(spend(attributes->entries.size()));
    note_batch_norm(module, *attributes, prefix);
    FOVEA_ASSIGN(const auto left_out, names_in(find_key(*attributes, "_non_persistent_buffers_set")));
    FOVEA_TRY(add_tensors(*attributes, "_parameters", prefix, {}));
    FOVEA_TRY(add_tensors(*attributes, "_buffers", prefix, left_out));
    const auto* children = find_as<PickleDict>(*attributes, "_modules");
    if (children == nullptr) return {};
    for (const auto& [name, child] : children->entries) {
      FOVEA_ASSIGN(const std::string path, join(prefix, *name));
      if (child->as<PickleNone>() == nullptr) FOVEA_TRY(visit(*child, path, depth + 1));
    }
    return {};
  }

 private:
  using Names = std::unordered_set<std::string_view>;

  // A child may stand in many places, so what one visit costs is counted at every visit.
  Result<void> spend(std::size_t work) {
    work_ += work;
    if (work_ <= kWorkLimit) return {};
    return fail(Error::Kind::kLimit, "modules with more than {} attributes in all", kWorkLimit);
  }

  Result<std::string> join(const std::string& prefix, const PickleValue& name) {
    const auto* text = name.as<PickleText>();
    if (text == nullptr) return fail(Error::Kind::kFormat, "module '{}': a member named by {}", printable(prefix), kind_of(name));
    if (++members_ > kMemberLimit) return fail(Error::Kind::kLimit, "more than {} modules and tensors", kMemberLimit);
    if (prefix.size() + text->text.size() > kNameLimit) {
      return fail(Error::Kind::kLimit, "module '{}': a name of more than {} bytes", printable(prefix), kNameLimit);
    }
    return prefix.empty() ? std::string(text->text) : fmt::format("{}.{}", prefix, text->text);
  }

  void note_batch_norm(const PickleValue& module, const PickleDict& attributes, const std::string& prefix) {
    const auto* type = module.as<PickleObject>()->type->as<PickleGlobal>();
    if (type->name.find("BatchNorm") == std::string_view::npos) return;
    const auto eps = number_of(find_key(attributes, "eps"));
    if (!eps) return;
    found.batch_norms.push_back({prefix, *eps, number_of(find_key(attributes, "momentum")).value_or(0.0)});
  }

  Result<void> add_tensors(const PickleDict& attributes, std::string_view field, const std::string& prefix,
                           const Names& left_out) {
    const auto* members = find_as<PickleDict>(attributes, field);
    if (members == nullptr) return {};
    for (const auto& [name, value] : members->entries) {
      FOVEA_ASSIGN(std::string path, join(prefix, *name));
      if (value->as<PickleNone>() != nullptr || left_out.contains(name->as<PickleText>()->text)) continue;
      if (!is_torch_tensor(*value)) {
        return fail(Error::Kind::kFormat, "'{}': {}, expected a tensor", printable(path), kind_of(*value));
      }
      found.tensors.emplace_back(std::move(path), value);
    }
    return {};
  }

  // The texts of a set, which protocols 2 and 3 write as set([...]). None for null.
  Result<Names> names_in(PickleRef set) {
    const std::vector<PickleRef>* items = nullptr;
    if (set != nullptr && set->as<PickleSet>() != nullptr) items = &set->as<PickleSet>()->items;
    if (set != nullptr && set->as<PickleObject>() != nullptr) {
      const auto& arguments = set->as<PickleObject>()->arguments->as<PickleTuple>()->items;
      if (!arguments.empty()) items = items_of(*arguments.front());
    }
    Names names;
    if (items == nullptr) return names;
    FOVEA_TRY(spend(items->size()));
    for (const PickleRef item : *items) {
      if (const auto* text = item->as<PickleText>()) names.insert(text->text);
    }
    return names;
  }

  std::size_t members_ = 0;
  std::size_t work_ = 0;
};

// {0: "clear", 1: "cloudy"} or ["clear", "cloudy"].
Result<std::vector<std::string>> class_names(PickleRef names) {
  std::vector<std::string> result;
  if (names == nullptr || names->as<PickleNone>() != nullptr) return result;
  const auto* dict = names->as<PickleDict>();
  const auto* list = items_of(*names);
  if (dict == nullptr && list == nullptr) return fail(Error::Kind::kFormat, "names: {}, expected class names", kind_of(*names));
  const std::size_t count = dict != nullptr ? dict->entries.size() : list->size();
  std::vector<PickleRef> ordered(count, nullptr);
  if (list != nullptr) ordered = *list;
  for (std::size_t i = 0; dict != nullptr && i < count; ++i) {
    const auto* index = dict->entries[i].first->as<std::int64_t>();
    if (index == nullptr || *index < 0 || static_cast<std::size_t>(*index) >= count) {
      return fail(Error::Kind::kFormat, "names: entry {} has no class index below {}", i, count);
    }
    ordered[static_cast<std::size_t>(*index)] = dict->entries[i].second;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto* text = ordered[i] == nullptr ? nullptr : ordered[i]->as<PickleText>();
    if (text == nullptr) return fail(Error::Kind::kFormat, "names: class {} has no name", i);
    result.emplace_back(text->text);
  }
  return result;
}

// 224, or [224, 320].
Result<std::vector<std::int64_t>> image_size(PickleRef size) {
  constexpr std::int64_t kLargest = 1 << 16;
  std::vector<PickleRef> items;
  if (size != nullptr && size->as<PickleNone>() == nullptr)
    items = items_of(*size) != nullptr ? *items_of(*size) : std::vector{size};
  std::vector<std::int64_t> result;
  for (const PickleRef item : items) {
    const auto* side = item->as<std::int64_t>();
    if (side == nullptr || *side < 1 || *side > kLargest || items.size() > 2) {
      return fail(Error::Kind::kFormat, "train_args: imgsz: expected one or two sides of 1 to {}", kLargest);
    }
    result.push_back(*side);
  }
  return result;
}

}  // namespace

const PickleDict* module_attributes(const PickleValue& value) {
  const auto* object = value.as<PickleObject>();
  const auto* state = object == nullptr || object->state == nullptr ? nullptr : object->state->as<PickleDict>();
  return state != nullptr && find_as<PickleDict>(*state, "_modules") != nullptr ? state : nullptr;
}

Result<TorchModule> take_module_apart(const PickleValue& value) {
  ModuleWalk walk;
  FOVEA_TRY(walk.visit(value, "", 0));
  return std::move(walk.found);
}

Result<TorchFacts> read_module_facts(const PickleValue& module, const PickleDict* checkpoint) {
  static const PickleDict empty;
  const PickleDict& around = checkpoint == nullptr ? empty : *checkpoint;
  const PickleDict& attributes = *module_attributes(module);
  const auto* type = module.as<PickleObject>()->type->as<PickleGlobal>();
  TorchFacts facts;
  facts.model_class = fmt::format("{}.{}", type->module, type->name);
  facts.task = find_text(attributes, "task");
  facts.version = find_text(around, "version");
  facts.license = find_text(around, "license");
  if (const auto* yaml = find_as<PickleDict>(attributes, "yaml")) facts.scale = find_text(*yaml, "scale");
  FOVEA_ASSIGN(facts.class_names, class_names(find_key(attributes, "names")));
  PickleRef size = nullptr;
  if (const auto* arguments = find_as<PickleDict>(attributes, "args")) size = find_key(*arguments, "imgsz");
  if (const auto* arguments = find_as<PickleDict>(around, "train_args")) {
    if (const PickleRef trained = find_key(*arguments, "imgsz")) size = trained;
    if (facts.task.empty()) facts.task = find_text(*arguments, "task");
  }
  FOVEA_ASSIGN(facts.image_size, image_size(size));
  return facts;
}

}  // namespace fovea
