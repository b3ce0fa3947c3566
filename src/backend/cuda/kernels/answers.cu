// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "backend/cuda/kernels/activation.h"
#include "backend/cuda/kernels/answers.h"

namespace fovea::cuda {
namespace {

/// log(1 + exp(x)) without overflow.
FOVEA_INLINE float softplus(float x) { return x < 0.0F ? logf(1.0F + expf(x)) : x + logf(1.0F + expf(-x)); }

/// Where head `h` of position `l` of image `n` lies in qkv and in o.
struct At {
  Heads s;
  FOVEA_INLINE std::int64_t q(int n, int l, int h) const {
    return ((static_cast<std::int64_t>(n) * s.positions + l) * s.heads + h) * (2 * s.key + s.value);
  }
  FOVEA_INLINE std::int64_t k(int n, int l, int h) const { return q(n, l, h) + s.key; }
  FOVEA_INLINE std::int64_t v(int n, int l, int h) const { return q(n, l, h) + 2 * s.key; }
  FOVEA_INLINE std::int64_t o(int n, int l, int h) const {
    return ((static_cast<std::int64_t>(n) * s.positions + l) * s.heads + h) * s.value;
  }
  FOVEA_INLINE std::int64_t p(int n, int h, int i) const {
    return ((static_cast<std::int64_t>(n) * s.heads + h) * s.positions + i) * s.positions;
  }
};

/// An index of (images, heads, positions, positions), or of (images, positions, heads, width), taken apart.
struct Score {
  int image, head, row, column;
  FOVEA_INLINE Score(const Heads& s, int index)
      : image(index / s.positions / s.positions / s.heads),
        head(index / s.positions / s.positions % s.heads),
        row(index / s.positions % s.positions),
        column(index % s.positions) {}
};
struct Channel {
  int image, position, head, channel;
  FOVEA_INLINE Channel(const Heads& s, int width, int index)
      : image(index / width / s.heads / s.positions),
        position(index / width / s.heads % s.positions),
        head(index / width % s.heads),
        channel(index % width) {}
};

FOVEA_INLINE float dot(const float* a, const float* b, int count) {
  float sum = 0.0F;
  for (int i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

/// row = softmax(row), of `count`.
FOVEA_INLINE void softmax_row(float* row, int count) {
  float largest = row[0], sum = 0.0F;
  for (int j = 1; j < count; ++j) largest = fmaxf(largest, row[j]);
  for (int j = 0; j < count; ++j) sum += expf(row[j] - largest);
  for (int j = 0; j < count; ++j) row[j] = expf(row[j] - largest) / sum;
}

}  // namespace

void softmax(Stream stream, const Answers& size, const float* logits, const float* targets, const float* weights, float* p,
             float* loss_of_row) {
  const int classes = size.classes;
  launch(stream, size.rows, [=] FOVEA_KERNEL(int n) {
    const float* x = logits + std::int64_t{n} * classes;
    float largest = x[0], sum = 0.0F;
    for (int k = 1; k < classes; ++k) largest = fmaxf(largest, x[k]);
    for (int k = 0; k < classes; ++k) sum += expf(x[k] - largest);
    const float log_sum = logf(sum);
    float loss = 0.0F;
    for (int k = 0; k < classes; ++k) {
      const float off = x[k] - largest;  // before p, which may lie where the logits do
      if (loss_of_row != nullptr) loss -= targets[std::int64_t{n} * classes + k] * (off - log_sum);
      p[std::int64_t{n} * classes + k] = expf(off) / sum;
    }
    if (loss_of_row != nullptr) loss_of_row[n] = weights[n] * loss;
  });
}

void sigmoid_loss(Stream stream, const Answers& size, const float* logits, const float* targets, const float* weights, float* p,
                  float* loss_of_row) {
  const int classes = size.classes;
  launch(stream, size.rows, [=] FOVEA_KERNEL(int n) {
    float loss = 0.0F;
    for (int k = 0; k < classes; ++k) {
      const std::int64_t at = std::int64_t{n} * classes + k;
      const float z = logits[at];
      loss += targets[at] * softplus(-z) + (1.0F - targets[at]) * softplus(z);
      p[at] = sigmoid(z);
    }
    loss_of_row[n] = weights[n] * loss;
  });
}

void loss_backward(Stream stream, const Answers& size, const float* p, const float* targets, const float* weights, bool separate,
                   float* dlogits) {
  const int classes = size.classes;
  launch(stream, size.rows, [=] FOVEA_KERNEL(int n) {
    const std::int64_t first = std::int64_t{n} * classes;
    float total = 0.0F;
    for (int k = 0; k < classes; ++k) total += targets[first + k];
    if (separate) total = 1.0F;
    for (int k = 0; k < classes; ++k) dlogits[first + k] = weights[n] * (p[first + k] * total - targets[first + k]);
  });
}

void sum_all(Stream stream, const float* x, int count, float* out) {
  launch(stream, 1, [=] FOVEA_KERNEL(int) { out[0] = sum_of_parts(x, count, 1); });
}

void attention(Stream stream, const Heads& s, const float* qkv, float* o, float* v, float* p) {
  const At at{s};
  const int length = s.positions;
  const float scale = sqrtf(static_cast<float>(s.key));
  launch(stream, std::int64_t{s.images} * s.heads * length * length, [=] FOVEA_KERNEL(int index) {
    const auto [n, h, i, j] = Score(s, index);
    p[index] = dot(qkv + at.q(n, i, h), qkv + at.k(n, j, h), s.key) / scale;
  });
  launch(stream, std::int64_t{s.images} * s.heads * length,
         [=] FOVEA_KERNEL(int row) { softmax_row(p + std::int64_t{row} * length, length); });
  launch(stream, std::int64_t{s.images} * length * s.heads * s.value, [=] FOVEA_KERNEL(int index) {
    const auto [n, i, h, e] = Channel(s, s.value, index);
    const float* row = p + at.p(n, h, i);
    float sum = 0.0F;
    for (int j = 0; j < length; ++j) sum += row[j] * qkv[at.v(n, j, h) + e];
    o[index] = sum;
    v[index] = qkv[at.v(n, i, h) + e];
  });
}

void attention_backward(Stream stream, const Heads& s, const float* qkv, const float* p, const float* d_o, const float* dv,
                        float* dscore, float* dqkv) {
  const At at{s};
  const int length = s.positions;
  const float scale = sqrtf(static_cast<float>(s.key));
  launch(stream, std::int64_t{s.images} * s.heads * length * length, [=] FOVEA_KERNEL(int index) {
    const auto [n, h, i, j] = Score(s, index);
    dscore[index] = dot(d_o + at.o(n, i, h), qkv + at.v(n, j, h), s.value);
  });
  // The gradient of the scores: what the softmax leaves of that of p.
  launch(stream, std::int64_t{s.images} * s.heads * length, [=] FOVEA_KERNEL(int row) {
    const std::int64_t first = std::int64_t{row} * length;
    const float mean = dot(p + first, dscore + first, length);
    for (int j = 0; j < length; ++j) dscore[first + j] = p[first + j] * (dscore[first + j] - mean) / scale;
  });
  const int width = 2 * s.key + s.value;
  launch(stream, std::int64_t{s.images} * length * s.heads * width, [=] FOVEA_KERNEL(int index) {
    const auto [n, l, h, a] = Channel(s, width, index);
    float sum = 0.0F;
    if (a < s.key) {  // a query: its row of scores
      for (int j = 0; j < length; ++j) sum += dscore[at.p(n, h, l) + j] * qkv[at.k(n, j, h) + a];
    } else if (a < 2 * s.key) {  // a key: its column
      for (int i = 0; i < length; ++i) sum += dscore[at.p(n, h, i) + l] * qkv[at.q(n, i, h) + a - s.key];
    } else {
      const int e = a - 2 * s.key;
      sum = dv[at.o(n, l, h) + e];
      for (int i = 0; i < length; ++i) sum += p[at.p(n, h, i) + l] * d_o[at.o(n, i, h) + e];
    }
    dqkv[index] = sum;
  });
}

}  // namespace fovea::cuda
