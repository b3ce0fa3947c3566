// Fovea: what ends a network: softmax, losses; and attention.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cuda/kernels/elementwise.h"

namespace fovea::cuda {

/// N rows of K logits.
struct Answers {
  int rows;
  int classes;
};

/// p = softmax(logits); with `loss_of_row` (N), weights_n * -sum_k targets_nk log p_nk too, else targets and weights may be null.
void softmax(Stream stream, const Answers& size, const float* logits, const float* targets, const float* weights, float* p,
             float* loss_of_row);
/// p = 1 / (1 + exp(-logits)), and the loss as of SigmoidBinaryCrossEntropy.
void sigmoid_loss(Stream stream, const Answers& size, const float* logits, const float* targets, const float* weights, float* p,
                  float* loss_of_row);
/// dlogits = weights_n (p total_n - targets), where total_n is the sum of a row's targets, or 1 with `separate`; may be p.
void loss_backward(Stream stream, const Answers& size, const float* p, const float* targets, const float* weights, bool separate,
                   float* dlogits);
/// out[0] = sum of x[0 .. count).
void sum_all(Stream stream, const float* x, int count, float* out);

/// See the op Attention: L positions; qkv (N, L, heads (2 key + value)).
struct Heads {
  int images;
  int positions;
  int heads;
  int key;    ///< channels of a query or key
  int value;  ///< and of a value
};
void attention(Stream stream, const Heads& heads, const float* qkv, float* o, float* v, float* p);
/// dscore: like p.
void attention_backward(Stream stream, const Heads& heads, const float* qkv, const float* p, const float* d_o, const float* dv,
                        float* dscore, float* dqkv);

}  // namespace fovea::cuda
