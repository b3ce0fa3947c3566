// Fovea: what fine-tuning multiplies: 32-bit floats, or bf16 where the device is made for them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.h"
#include "fovea/trainer.h"
#include "graph/compile.h"

namespace fovea::training {

/// What was asked for (kUnsupported where the device cannot), or bf16 where the backend has kernels for it. The device decides,
/// not a timing of it: the same machine gives the same bits.
Result<graph::Precision> choose_precision(PrecisionChoice asked, const Backend& backend);

/// `precision` as far as the backend has kernels for it: one may have them for blocks alone.
[[nodiscard]] graph::Precisions precisions_of(graph::Precision precision, const Backend& backend);

/// Whether any product of a graph is to be computed from bf16 numbers.
[[nodiscard]] bool multiplies_bf16(const graph::Graph& graph);

}  // namespace fovea::training
