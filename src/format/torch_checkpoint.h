// Fovea: PyTorch's .pt and .pth files: state dictionaries, dictionaries around them, and whole pickled networks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "format/weights.h"

namespace fovea {

/// A zip archive, as torch.save has written since version 1.6.
[[nodiscard]] bool looks_like_zip(Bytes file);
/// A row of pickles that begins with torch's magic number, as torch.save wrote before.
[[nodiscard]] bool looks_like_torch_legacy(Bytes file);

/// The tensors of a torch file: those of `ema` if set, else of `state_dict`, `model_state_dict` or `model`, else of the object
/// itself. Names are those of PyTorch's state_dict(). Nothing in the file is ever run. Messages name the field and the reason;
/// the caller adds the file.
Result<WeightContents> read_torch_zip(Bytes file);
Result<WeightContents> read_torch_legacy(Bytes file);

}  // namespace fovea
