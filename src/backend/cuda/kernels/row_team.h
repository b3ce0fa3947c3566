// Fovea: rows that threads share, so that what a warp reads lies side by side, and what they find in a row together.
// SPDX-License-Identifier: Apache-2.0
//
// A body is called once for each row, by all lanes of its team at once; each sees the same row and the same results. Lane l has
// items l, l + lanes, ... in every walk, so what it wrote in one it reads in the next; what other lanes wrote it must not read.
// Results are combined as a tree whose shape depends on nothing but the number of lanes: the same bits every time, and for all.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "backend/cuda/kernels/launch.h"

namespace fovea::cuda {

inline constexpr int kWarp = 32;

/// Of a row of `items`: a warp, or a block where a warp would take long.
[[nodiscard]] inline int row_lanes(int items) { return items <= 16 * kWarp ? kWarp : kBlock; }

struct Larger {
  FOVEA_INLINE float operator()(float a, float b) const { return fmaxf(a, b); }
};
struct Plus {
  FOVEA_INLINE float operator()(float a, float b) const { return a + b; }
};

#if defined(__CUDACC__)

class RowTeam {
 public:
  __device__ RowTeam(int lanes, int lane, float* shared) : lanes_(lanes), lane_(lane), shared_(shared) {}

  /// Calls body(item) for 0 <= item < items.
  template <class Body>
  __device__ void each(int items, const Body& body) const {
    for (int item = lane_; item < items; item += lanes_) body(item);
  }
  /// The sum of value(item), which may also write what is the item's own.
  template <class Value>
  __device__ float sum(int items, const Value& value) const {
    return find(items, 0.0F, Plus(), value);
  }
  template <class Value>
  __device__ float largest(int items, const Value& value) const {
    return find(items, -INFINITY, Larger(), value);
  }
  /// Calls body() once.
  template <class Body>
  __device__ void once(const Body& body) const {
    if (lane_ == 0) body();
  }

 private:
  template <class Op, class Value>
  __device__ float find(int items, float found, Op op, const Value& value) const {
    for (int item = lane_; item < items; item += lanes_) found = op(found, value(item));
    if (lanes_ > kWarp) found = of_warps(found, op);
    FOVEA_UNROLL
    for (int half = kWarp / 2; half > 0; half /= 2) found = op(found, __shfl_xor_sync(~0U, found, half));
    return found;
  }
  /// What remains for a warp: the same for each.
  template <class Op>
  __device__ float of_warps(float found, Op op) const {
    __syncthreads();  // until the last result has been read by all
    shared_[lane_] = found;
    for (int half = lanes_ / 2; half >= kWarp; half /= 2) {
      __syncthreads();
      if (lane_ < half) shared_[lane_] = op(shared_[lane_], shared_[lane_ + half]);
    }
    __syncthreads();
    return shared_[lane_ % kWarp];
  }

  int lanes_, lane_;
  float* shared_;
};

namespace detail {

template <class Body>
__global__ void __launch_bounds__(kBlock) run_rows(int rows, int lanes, Body body) {
  __shared__ float shared[kBlock];
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * (kBlock / lanes) + static_cast<int>(threadIdx.x) / lanes;
  // Of a team all threads leave, or none.
  if (row < rows) body(static_cast<int>(row), RowTeam(lanes, static_cast<int>(threadIdx.x) % lanes, shared));
}

}  // namespace detail

/// Calls body(row, team) for 0 <= row < rows, each of `items`, on the device.
template <class Body>
void launch_rows(Stream stream, std::int64_t rows, int items, const Body& body) {
  if (rows <= 0) return;
  const int lanes = row_lanes(items), of_block = kBlock / lanes;
  detail::run_rows<<<static_cast<unsigned>((rows + of_block - 1) / of_block), kBlock, 0, stream>>>(static_cast<int>(rows), lanes,
                                                                                                   body);
  check_launch();
}

#else

class RowTeam {
 public:
  RowTeam(Stream stream, int lanes) : stream_(stream), lanes_(lanes) {}

  template <class Body>
  void each(int items, const Body& body) const {
    for (int i = 0; i < items; ++i) body(static_cast<int>(detail::in_order(stream_, items, i)));
  }
  template <class Value>
  float sum(int items, const Value& value) const {
    return find(items, 0.0F, Plus(), value);
  }
  template <class Value>
  float largest(int items, const Value& value) const {
    return find(items, -INFINITY, Larger(), value);
  }
  template <class Body>
  void once(const Body& body) const {
    body();
  }

 private:
  template <class Op, class Value>
  float find(int items, float none, Op op, const Value& value) const {
    float found[kBlock];
    for (int i = 0; i < lanes_; ++i) {
      const auto lane = static_cast<int>(detail::in_order(stream_, lanes_, i));
      found[lane] = none;
      for (int item = lane; item < items; item += lanes_) found[lane] = op(found[lane], value(item));
    }
    for (int half = lanes_ / 2; half > 0; half /= 2) {
      for (int lane = 0; lane < half; ++lane) found[lane] = op(found[lane], found[lane + half]);
    }
    return found[0];
  }

  Stream stream_;
  int lanes_;
};

template <class Body>
void launch_rows(Stream stream, std::int64_t rows, int items, const Body& body) {
  for (std::int64_t i = 0; i < rows; ++i)
    body(static_cast<int>(detail::in_order(stream, rows, i)), RowTeam(stream, row_lanes(items)));
}

#endif

}  // namespace fovea::cuda
