// Fovea: an inverted residual block with the batch's own statistics, in floats or with bf16 operands.
// SPDX-License-Identifier: Apache-2.0
//
// Statistics need every position before the next step can begin at any, so a block is several passes over its bands. After the
// pointwise convolution they follow from its input's mean and covariance (Cov u = W Cov x W'), after the depthwise one from the
// pass that makes v. The backward pass needs the same of the gradients: one pass from dy to the sums that the second
// normalisation takes away; one from there to the gradient g before the first normalisation. In floats that pass goes on to dx,
// with the first normalisation as but a scale, because what it takes away is linear in x and is taken from dx and dwe at the end:
// with s the norm's scale / deviation, r 1 / deviation,
//   du = s (g - sum g / n - r (u - mean) dge / n),  dge = r w . sum g (x - mean),
//   dwe = s (sum g (x - mean) - r dge w Cov x),  dx = W' du, whose last part is the matrix W' diag(s r dge / n) W of x - mean.
// In bf16 du is rounded where it is an operand, so g is kept, in bf16, and a third pass makes du, dwe and dx of it; products are
// cheap there, so whatever else is wide is made of narrow tensors again in each pass.
#pragma once

#include "backend/cpu/setup.h"

namespace fovea::cpu::block {

KernelResult prepare_live(const Setup& setup, const graph::InvertedResidualTrain& op);
KernelResult prepare_live(const Setup& setup, const graph::InvertedResidualTrainBackward& op);

/// Where the target has a unit for bf16.
KernelResult prepare_live_bf16(const Setup& setup, const graph::InvertedResidualTrain& op);
KernelResult prepare_live_bf16(const Setup& setup, const graph::InvertedResidualTrainBackward& op);

}  // namespace fovea::cpu::block
