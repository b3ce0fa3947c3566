// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "backend/cuda/kernels/activation.h"
#include "backend/cuda/kernels/answers.h"
#include "backend/cuda/kernels/row_team.h"

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

/// What a softmax of a row of `count` is computed from; x(k) is its k-th logit.
struct SoftmaxTerms {
  float largest, sum;
  template <class X>
  FOVEA_KERNEL SoftmaxTerms(const RowTeam& team, int count, const X& x) {
    largest = team.largest(count, x);
    sum = team.sum(count, [&](int k) { return expf(x(k) - largest); });
  }
};

}  // namespace

void softmax(Stream stream, const Answers& size, const float* logits, const float* targets, const float* weights, float* p,
             float* loss_of_row) {
  const int classes = size.classes;
  launch_rows(stream, size.rows, classes, [=] FOVEA_KERNEL(int n, const RowTeam& team) {
    const std::int64_t first = std::int64_t{n} * classes;
    const SoftmaxTerms terms(team, classes, [&](int k) { return logits[first + k]; });
    const float log_sum = logf(terms.sum);
    const float loss = team.sum(classes, [&](int k) {
      const float off = logits[first + k] - terms.largest;  // before p, which may lie where the logits do
      p[first + k] = expf(off) / terms.sum;
      return targets == nullptr ? 0.0F : targets[first + k] * (log_sum - off);
    });
    if (loss_of_row != nullptr) team.once([&] { loss_of_row[n] = weights[n] * loss; });
  });
}

void sigmoid_loss(Stream stream, const Answers& size, const float* logits, const float* targets, const float* weights, float* p,
                  float* loss_of_row) {
  const int classes = size.classes;
  launch_rows(stream, size.rows, classes, [=] FOVEA_KERNEL(int n, const RowTeam& team) {
    const std::int64_t first = std::int64_t{n} * classes;
    const float loss = team.sum(classes, [&](int k) {
      const float z = logits[first + k], target = targets[first + k];
      p[first + k] = sigmoid(z);
      return target * softplus(-z) + (1.0F - target) * softplus(z);
    });
    team.once([&] { loss_of_row[n] = weights[n] * loss; });
  });
}

void loss_backward(Stream stream, const Answers& size, const float* p, const float* targets, const float* weights, bool separate,
                   float* dlogits) {
  const int classes = size.classes;
  launch_rows(stream, size.rows, classes, [=] FOVEA_KERNEL(int n, const RowTeam& team) {
    const std::int64_t first = std::int64_t{n} * classes;
    const float total = separate ? 1.0F : team.sum(classes, [&](int k) { return targets[first + k]; });
    team.each(classes, [&](int k) { dlogits[first + k] = weights[n] * (p[first + k] * total - targets[first + k]); });
  });
}

void sum_all(Stream stream, const float* x, int count, float* out) {
  launch_rows(stream, 1, count, [=] FOVEA_KERNEL(int, const RowTeam& team) {
    const float sum = team.sum(count, [&](int i) { return x[i]; });
    team.once([&] { out[0] = sum; });
  });
}

void attention(Stream stream, const Heads& s, const float* qkv, float* o, float* v, float* p) {
  const At at{s};
  const int length = s.positions;
  const float scale = sqrtf(static_cast<float>(s.key));
  launch(stream, std::int64_t{s.images} * s.heads * length * length, [=] FOVEA_KERNEL(int index) {
    const auto [n, h, i, j] = Score(s, index);
    p[index] = dot(qkv + at.q(n, i, h), qkv + at.k(n, j, h), s.key) / scale;
  });
  launch_rows(stream, std::int64_t{s.images} * s.heads * length, length, [=] FOVEA_KERNEL(int index, const RowTeam& team) {
    float* row = p + std::int64_t{index} * length;
    const SoftmaxTerms terms(team, length, [&](int j) { return row[j]; });
    team.each(length, [&](int j) { row[j] = expf(row[j] - terms.largest) / terms.sum; });
  });
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
  launch_rows(stream, std::int64_t{s.images} * s.heads * length, length, [=] FOVEA_KERNEL(int row, const RowTeam& team) {
    const std::int64_t first = std::int64_t{row} * length;
    const float mean = team.sum(length, [&](int j) { return p[first + j] * dscore[first + j]; });
    team.each(length, [&](int j) { dscore[first + j] = p[first + j] * (dscore[first + j] - mean) / scale; });
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
