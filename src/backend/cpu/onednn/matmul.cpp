// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/onednn/matmul.h"

namespace fovea::cpu::onednn {
namespace {

dnnl::memory::desc strided(std::int64_t rows, std::int64_t columns, const Matrix& matrix) {
  return {{rows, columns}, dnnl::memory::data_type::f32, {matrix.row, matrix.column}};
}

}  // namespace

void add_product(Parts& parts, const Product& p) {
  const auto a = strided(p.m, p.k, p.a);
  const auto b = strided(p.k, p.n, p.b);
  const auto c = strided(p.m, p.n, p.c);
  const Operand source{DNNL_ARG_SRC, a, p.a.base, p.a.offset};
  const Operand weights{DNNL_ARG_WEIGHTS, b, p.b.base, p.b.offset};
  const Operand target{DNNL_ARG_DST, c, p.c.base, p.c.offset};
  const dnnl::matmul::primitive_desc made(dnnl::matmul::desc(a, b, c), attributes(), engine());
  parts.add(dnnl::matmul(made), made.scratchpad_desc(), {source, weights, target});
}

}  // namespace fovea::cpu::onednn
