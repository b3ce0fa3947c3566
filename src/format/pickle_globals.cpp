// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "format/pickle.h"

namespace fovea {
namespace {

struct Allowed {
  std::string_view module;
  std::string_view name;
};

// Modules whose every class may be named: a checkpoint that was pickled whole names the classes of its layers.
constexpr std::array<std::string_view, 4> kPackages{"torch", "torchvision", "ultralytics", "pathlib"};

// Python 2 called `builtins` `__builtin__`, and protocol 2 still does. getattr comes as getattr(Enum, "MEMBER").
constexpr std::array<std::string_view, 14> kBuiltins{"bool", "bytearray", "bytes", "complex", "dict",  "float", "frozenset",
                                                     "int",  "list",      "range", "set",     "slice", "str",   "tuple"};

constexpr std::array<Allowed, 20> kSingles{{{"collections", "OrderedDict"},
                                            {"collections", "defaultdict"},
                                            {"collections", "Counter"},
                                            {"collections", "deque"},
                                            {"builtins", "getattr"},
                                            {"__builtin__", "getattr"},
                                            {"_codecs", "encode"},
                                            {"argparse", "Namespace"},
                                            {"types", "SimpleNamespace"},
                                            {"datetime", "date"},
                                            {"datetime", "datetime"},
                                            {"datetime", "timedelta"},
                                            {"numpy", "dtype"},
                                            {"numpy", "ndarray"},
                                            {"numpy.core.multiarray", "scalar"},
                                            {"numpy._core.multiarray", "scalar"},
                                            {"numpy.core.multiarray", "_reconstruct"},
                                            {"numpy._core.multiarray", "_reconstruct"},
                                            {"numpy.core.numeric", "_frombuffer"},
                                            {"numpy._core.numeric", "_frombuffer"}}};

bool inside(std::string_view module, std::string_view package) {
  return module.starts_with(package) && (module.size() == package.size() || module[package.size()] == '.');
}

}  // namespace

bool is_harmless_global(std::string_view module, std::string_view name) {
  // A dotted name reaches through a module into whatever that imports: torch.serialization's "os.system".
  if (name.empty() || name.find('.') != name.npos) return false;
  if (std::ranges::any_of(kPackages, [&](std::string_view package) { return inside(module, package); })) return true;
  if (module == "builtins" || module == "__builtin__") {
    if (std::ranges::find(kBuiltins, name) != kBuiltins.end()) return true;
  }
  return std::ranges::any_of(kSingles, [&](const Allowed& entry) { return entry.module == module && entry.name == name; });
}

std::string_view kind_of(const PickleValue& value) {
  constexpr std::array<std::string_view, std::variant_size_v<decltype(PickleValue::content)>> kKinds{
      "None",   "a boolean", "an integer", "a long integer", "a float",  "text",      "bytes",
      "a list", "a tuple",   "a set",      "a dictionary",   "a global", "an object", "a persistent id"};
  return kKinds[value.content.index()];
}

}  // namespace fovea
