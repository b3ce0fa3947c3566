// Fovea: a network that was pickled whole, taken apart into the tensors its state dictionary would hold.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "format/pickle.h"
#include "format/weights.h"

namespace fovea {

/// What was found inside a module and its children, in the order of PyTorch's state_dict().
struct TorchModule {
  std::vector<std::pair<std::string, PickleRef>> tensors;
  std::vector<TorchFacts::BatchNorm> batch_norms;
};

/// The attributes of a pickled module; null when `value` is not one.
[[nodiscard]] const PickleDict* module_attributes(const PickleValue& value);

/// Follows _parameters, _buffers and _modules. Buffers that were not meant to be saved are left out.
/// Fails with kFormat on members of the wrong kind, and with kLimit for names, depths and numbers beyond any network
/// (shared children could otherwise multiply without end).
Result<TorchModule> take_module_apart(const PickleValue& value);

/// What Ultralytics keeps in `checkpoint` (the dictionary around the module; may be null) and in the module's attributes:
/// class names, image size, task, version, licence, size letter.
Result<TorchFacts> read_module_facts(const PickleValue& module, const PickleDict* checkpoint);

}  // namespace fovea
