// SPDX-License-Identifier: Apache-2.0
//
// Ops that move channels about or average over positions: rows of channels are copied, added and scaled.
#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "backend/cpu/kernels/elementwise.h"
#include "backend/cpu/setup.h"
#include "backend/function_kernel.h"
#include "core/parallel.h"

namespace fovea::cpu {
namespace {

/// Rows that are worth a thread.
constexpr std::int64_t kRowGrain = 64;

void copy(const float* from, std::int64_t count, float* to) {
  std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(float));
}

/// Rows of channels, `stride` bytes from one to the next, whatever the numbers are.
struct Rows {
  std::byte* data;
  std::int64_t stride;

  Rows(const TensorView& view, std::int64_t channel)
      : data(view.data + channel * size_of(view)), stride(view.shape.back() * size_of(view)) {}
  [[nodiscard]] static std::int64_t size_of(const TensorView& view) {
    return static_cast<std::int64_t>(fovea::size_of(view.dtype));
  }
};

template <std::size_t kBytes>
void copy_rows_of(const Rows& from, const Rows& to, Range rows) {
  for (std::int64_t i = rows.begin; i < rows.end; ++i) std::memcpy(to.data + i * to.stride, from.data + i * from.stride, kBytes);
}

/// The first `bytes` of each row. A copy of a known size takes a few moves rather than a call.
void copy_rows(const Rows& from, const Rows& to, std::int64_t bytes, Range rows) {
  switch (bytes) {
    case 16: return copy_rows_of<16>(from, to, rows);
    case 32: return copy_rows_of<32>(from, to, rows);
    case 64: return copy_rows_of<64>(from, to, rows);
    case 128: return copy_rows_of<128>(from, to, rows);
    default: break;
  }
  for (std::int64_t i = rows.begin; i < rows.end; ++i)
    std::memcpy(to.data + i * to.stride, from.data + i * from.stride, static_cast<std::size_t>(bytes));
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::Concat& /*op*/) {
  return make_kernel({"cpu/concat", 0, 0, std::nullopt}, [context = setup.context](const Arguments& a) {
    parallel_ranges(context, Setup::rows(a.outputs[0].shape), kRowGrain, [&](Range r) {
      std::int64_t at = 0;
      for (const TensorView& x : a.inputs) {
        const Rows from(x, 0);
        copy_rows(from, Rows(a.outputs[0], at), from.stride, r);
        at += x.shape.back();
      }
    });
  });
}

KernelResult prepare_op(const Setup& setup, const graph::SliceChannels& op) {
  return make_kernel({"cpu/slice_channels", 0, 0, std::nullopt}, [context = setup.context, op](const Arguments& a) {
    const Rows from(a.inputs[0], op.begin), to(a.outputs[0], 0);
    parallel_ranges(context, Setup::rows(a.outputs[0].shape), kRowGrain, [&](Range r) { copy_rows(from, to, to.stride, r); });
  });
}

KernelResult prepare_op(const Setup& setup, const graph::PadChannels& op) {
  return make_kernel({"cpu/pad_channels", 0, 0, std::nullopt}, [context = setup.context, op](const Arguments& a) {
    const Rows from(a.inputs[0], 0), to(a.outputs[0], op.begin), whole(a.outputs[0], 0);
    parallel_ranges(context, Setup::rows(a.outputs[0].shape), kRowGrain, [&](Range r) {
      std::memset(whole.data + r.begin * whole.stride, 0, static_cast<std::size_t>(r.size() * whole.stride));
      copy_rows(from, to, from.stride, r);
    });
  });
}

KernelResult prepare_op(const Setup& setup, const graph::GlobalAveragePool& /*op*/) {
  const Shape& x_shape = setup.input(0);
  const std::int64_t positions = x_shape[1] * x_shape[2];
  const std::int64_t channels = x_shape[3];
  return make_kernel({setup.kernel_name("global_average_pool"), 0, 0, std::nullopt},
                     [context = setup.context, positions, channels, kernels = elementwise(setup.target)](const Arguments& a) {
                       const float* x = a.inputs[0].f32();
                       float* y = a.outputs[0].f32();
                       const float scale = 1.0F / static_cast<float>(positions);
                       parallel_for(context, a.inputs[0].shape[0], [&](std::int64_t n) {
                         kernels.sum_parts(x + n * positions * channels, positions, channels, y + n * channels, channels);
                         kernels.scale(scale, y + n * channels, y + n * channels, channels);
                       });
                     });
}

KernelResult prepare_op(const Setup& setup, const graph::GlobalAveragePoolBackward& op) {
  const std::int64_t positions = op.height * op.width;
  const std::int64_t channels = setup.input(0)[1];
  return make_kernel({setup.kernel_name("global_average_pool_backward"), 0, 0, std::nullopt},
                     [context = setup.context, positions, channels, kernels = elementwise(setup.target)](const Arguments& a) {
                       const float* dy = a.inputs[0].f32();
                       float* dx = a.outputs[0].f32();
                       const float scale = 1.0F / static_cast<float>(positions);
                       parallel_for(context, a.inputs[0].shape[0], [&](std::int64_t n) {
                         float* image = dx + n * positions * channels;
                         kernels.scale(scale, dy + n * channels, image, channels);
                         for (std::int64_t i = 1; i < positions; ++i) copy(image, channels, image + i * channels);
                       });
                     });
}

}  // namespace fovea::cpu
