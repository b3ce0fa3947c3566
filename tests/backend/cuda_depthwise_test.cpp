// A depthwise backward pass that normalises what it reads does what three kernels do one after the other.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "backend/cuda/kernels/depthwise.h"
#include "core/rng.h"

namespace fovea {
namespace {

using cuda::Plane;

std::vector<float> random(Rng& rng, std::int64_t count, float least = -INFINITY) {
  std::vector<float> made(static_cast<std::size_t>(count));
  for (float& value : made) value = std::max(rng.normal(), least);
  return made;
}

/// dx, and the sums over all positions: of dx, of the weights' gradients (taps, C), of dx times x normalised.
template <class T>
struct Gradients {
  std::vector<T> dx;
  std::vector<float> db, dw, dgamma;
};

template <class T>
struct Pass {
  Pass(const Plane& of, graph::Activation clamp) : plane(of), activation(clamp) {
    const std::int64_t c = of.channels;
    Rng rng(3);
    x = random(rng, of.rows() * c);
    w = random(rng, of.taps() * c);
    gamma = random(rng, c);
    beta = random(rng, c);
    mean = random(rng, c);
    var = random(rng, c, 0.1F);
    for (const float value : random(rng, of.out_rows() * c)) g.push_back(cuda::narrow<T>(value));
  }
  [[nodiscard]] cuda::NormVectors norm() const { return {gamma.data(), beta.data(), mean.data(), var.data(), 1e-3F}; }
  [[nodiscard]] Gradients<T> outputs() const {
    const auto c = static_cast<std::size_t>(plane.channels);
    return {std::vector<T>(x.size()), std::vector<float>(c), std::vector<float>(w.size()), std::vector<float>(c)};
  }

  Gradients<T> at_once() {
    Gradients<T> made = outputs();
    const cuda::SumsGrid grid = cuda::depthwise_grid(plane);
    std::vector<float> partial(
        static_cast<std::size_t>(cuda::partial_floats(grid, cuda::depthwise_values(plane, true), plane.channels)));
    cuda::normalised_depthwise_backward(&stream, plane, x.data(), norm(), activation, w.data(), g.data(), made.dx.data(), grid,
                                        partial.data(), false);
    cuda::fold_depthwise(&stream, plane, partial.data(), grid.parts, made.dw.data(), made.db.data(), made.dgamma.data());
    return made;
  }
  Gradients<T> one_by_one() {
    Gradients<T> made = outputs();
    std::vector<T> wide(x.size());
    cuda::normalise(&stream, x.data(), norm(), activation, wide.data(), plane.rows(), plane.channels);
    const cuda::SumsGrid grid = cuda::depthwise_grid(plane), rows = cuda::row_grid(plane.rows(), plane.channels);
    std::vector<float> partial(
        static_cast<std::size_t>(cuda::partial_floats(grid, cuda::depthwise_values(plane), plane.channels)));
    cuda::depthwise_backward(&stream, plane, static_cast<const T*>(wide.data()), activation, w.data(),
                             static_cast<const T*>(g.data()), nullptr, made.dx.data(), grid, partial.data(), false);
    cuda::fold_depthwise(&stream, plane, partial.data(), grid.parts, made.dw.data(), nullptr, nullptr);
    partial.resize(static_cast<std::size_t>(cuda::partial_floats(rows, 2, plane.channels)));
    cuda::norm_gradient_sums(&stream, static_cast<const float*>(x.data()), norm(), static_cast<const T*>(made.dx.data()),
                             graph::Activation::kNone, plane.channels, rows, partial.data(), false);
    cuda::fold_norm_gradient(&stream, partial.data(), rows.parts, plane.channels, made.dgamma.data(), made.db.data());
    return made;
  }

  Plane plane;
  graph::Activation activation;
  CUstream_st stream;
  std::vector<float> x, w, gamma, beta, mean, var;
  std::vector<T> g;
};

template <class T>
void expect_alike(const Plane& plane, graph::Activation activation) {
  Pass<T> pass(plane, activation);
  const Gradients<T> made = pass.at_once(), expected = pass.one_by_one();
  EXPECT_EQ(std::memcmp(made.dx.data(), expected.dx.data(), made.dx.size() * sizeof(T)), 0) << "other bits of dx";
  EXPECT_EQ(made.dw, expected.dw);
  // Added up in another order.
  const auto near = [&](const std::vector<float>& a, const std::vector<float>& b) {
    for (std::size_t c = 0; c < a.size(); ++c) EXPECT_NEAR(a[c], b[c], 1e-6 * static_cast<double>(plane.rows() * plane.taps()));
  };
  near(made.db, expected.db);
  near(made.dgamma, expected.dgamma);
}

TEST(CudaDepthwise, NormalisesWhatItReadsAsKernelsOneByOneDo) {
  using graph::Activation;
  const Plane planes[] = {
      {.images = 2,
       .height = 9,
       .width = 7,
       .out_height = 9,
       .out_width = 7,
       .channels = 24,
       .kernel_h = 3,
       .kernel_w = 3,
       .top = 1,
       .left = 1},
      {.images = 1,
       .height = 8,
       .width = 9,
       .out_height = 4,
       .out_width = 5,
       .channels = 8,
       .kernel_h = 3,
       .kernel_w = 3,
       .stride = 2,
       .top = 1,
       .left = 1},
      {.images = 3,
       .height = 6,
       .width = 6,
       .out_height = 6,
       .out_width = 6,
       .channels = 6,
       .kernel_h = 5,
       .kernel_w = 5,
       .top = 2,
       .left = 2},
      {.images = 2,
       .height = 7,
       .width = 5,
       .out_height = 4,
       .out_width = 3,
       .channels = 10,
       .kernel_h = 5,
       .kernel_w = 5,
       .stride = 2,
       .top = 2,
       .left = 2},
      {.images = 2,
       .height = 5,
       .width = 6,
       .out_height = 5,
       .out_width = 6,
       .channels = 7,
       .kernel_h = 3,
       .kernel_w = 5,
       .top = 1,
       .left = 2},
  };
  for (const Plane& plane : planes) {
    for (const Activation activation : {Activation::kNone, Activation::kRelu, Activation::kRelu6}) {
      SCOPED_TRACE(testing::Message() << plane.kernel_w << " wide, " << plane.channels << " channels, activation "
                                      << static_cast<int>(activation));
      expect_alike<float>(plane, activation);
      expect_alike<cuda::Tf32>(plane, activation);
      expect_alike<cuda::Bf16>(plane, activation);
      expect_alike<cuda::Fp16>(plane, activation);
    }
  }
}

}  // namespace
}  // namespace fovea
