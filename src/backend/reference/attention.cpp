// SPDX-License-Identifier: Apache-2.0
//
// Letters: L = H W positions; i a query's position, j a key's; a channel of the query or key, e one of the value.
#include "backend/reference/definition.h"
#include "backend/reference/softmax.h"

namespace fovea::reference {
namespace {

using std::sqrt;

/// The parts of qkv (N,L,heads (2 key_dim + head_dim)) by head, and of o (N,L,heads head_dim).
template <class Op>
struct Layout {
  const Op& op;
  [[nodiscard]] std::int64_t q(std::int64_t head, std::int64_t a) const { return head * (2 * op.key_dim + op.head_dim) + a; }
  [[nodiscard]] std::int64_t k(std::int64_t head, std::int64_t a) const { return q(head, a) + op.key_dim; }
  [[nodiscard]] std::int64_t v(std::int64_t head, std::int64_t e) const { return q(head, e) + std::int64_t{2} * op.key_dim; }
  [[nodiscard]] std::int64_t o(std::int64_t head, std::int64_t e) const { return head * op.head_dim + e; }
};

/// (N,H,W,C) as (N,L,C).
template <class Real>
Tensor<Real> flattened(const Tensor<Real>& x) {
  return x.reshaped({x.shape()[0], x.shape()[1] * x.shape()[2], x.channels()});
}

}  // namespace

template <class Real>
void define(const graph::Attention& op, const Operands<Real>& t) {
  const auto qkv = flattened(t.in[0]);
  const auto o = flattened(t.out[0]), v = flattened(t.out[1]);
  const auto p = t.out[2];
  const Layout<graph::Attention> at{op};
  const std::int64_t length = qkv.shape()[1];
  o.fill(0);
  for (std::int64_t n = 0; n < qkv.shape()[0]; ++n) {
    for (int head = 0; head < op.heads; ++head) {
      for (std::int64_t i = 0; i < length; ++i) {
        const auto score = [&](std::int64_t j) {
          Real sum(0);
          for (int a = 0; a < op.key_dim; ++a) sum += qkv(n, i, at.q(head, a)) * qkv(n, j, at.k(head, a));
          return sum / sqrt(Real(op.key_dim));
        };
        const SoftmaxTerms<Real> terms(length, score);
        for (std::int64_t j = 0; j < length; ++j) p(n, head, i, j) = terms.probability(score(j));
        for (int e = 0; e < op.head_dim; ++e) {
          v(n, i, at.o(head, e)) = qkv(n, i, at.v(head, e));
          for (std::int64_t j = 0; j < length; ++j) o(n, i, at.o(head, e)) += p(n, head, i, j) * qkv(n, j, at.v(head, e));
        }
      }
    }
  }
}

template <class Real>
void define(const graph::AttentionBackward& op, const Operands<Real>& t) {
  const auto qkv = flattened(t.in[0]), d_o = flattened(t.in[2]), dv = flattened(t.in[3]);
  const auto p = t.in[1];
  const auto dqkv = flattened(t.out[0]);
  const Layout<graph::AttentionBackward> at{op};
  const std::int64_t length = qkv.shape()[1];
  dqkv.fill(0);
  for (std::int64_t n = 0; n < qkv.shape()[0]; ++n) {
    for (int head = 0; head < op.heads; ++head) {
      for (std::int64_t i = 0; i < length; ++i) {
        for (int e = 0; e < op.head_dim; ++e) dqkv(n, i, at.v(head, e)) += dv(n, i, at.o(head, e));
        // The gradient of p(i, j), and its mean under p(i, .), which the softmax takes away.
        const auto dp = [&](std::int64_t j) {
          Real sum(0);
          for (int e = 0; e < op.head_dim; ++e) sum += d_o(n, i, at.o(head, e)) * qkv(n, j, at.v(head, e));
          return sum;
        };
        Real mean(0);
        for (std::int64_t j = 0; j < length; ++j) mean += p(n, head, i, j) * dp(j);
        for (std::int64_t j = 0; j < length; ++j) {
          const Real dscore = p(n, head, i, j) * (dp(j) - mean) / sqrt(Real(op.key_dim));
          for (int a = 0; a < op.key_dim; ++a) {
            dqkv(n, i, at.q(head, a)) += dscore * qkv(n, j, at.k(head, a));
            dqkv(n, j, at.k(head, a)) += dscore * qkv(n, i, at.q(head, a));
          }
          for (int e = 0; e < op.head_dim; ++e) dqkv(n, j, at.v(head, e)) += p(n, head, i, j) * d_o(n, i, at.o(head, e));
        }
      }
    }
  }
}

FOVEA_INSTANTIATE(Attention);
FOVEA_INSTANTIATE(AttentionBackward);

}  // namespace fovea::reference
