// Fovea: activations and their derivatives, as the reference backend defines them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "backend/cuda/kernels/launch.h"
#include "graph/activation.h"

namespace fovea::cuda {

using graph::Activation;

FOVEA_INLINE float sigmoid(float x) { return 1.0F / (1.0F + expf(-x)); }

FOVEA_INLINE float activate(Activation activation, float x) {
  switch (activation) {
    case Activation::kNone: break;
    case Activation::kRelu: return fmaxf(x, 0.0F);
    case Activation::kRelu6: return fminf(fmaxf(x, 0.0F), 6.0F);
    case Activation::kSilu: return x * sigmoid(x);
  }
  return x;
}

/// At the input x; for relu and relu6 their output serves as well.
FOVEA_INLINE float slope(Activation activation, float x) {
  switch (activation) {
    case Activation::kNone: break;
    case Activation::kRelu: return x > 0.0F ? 1.0F : 0.0F;
    case Activation::kRelu6: return x > 0.0F && x < 6.0F ? 1.0F : 0.0F;
    case Activation::kSilu: return sigmoid(x) * (1.0F + x * (1.0F - sigmoid(x)));
  }
  return 1.0F;
}

}  // namespace fovea::cuda
