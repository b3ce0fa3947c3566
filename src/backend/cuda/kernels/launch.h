// Fovea: the one way in which kernels are started, so that the same source is compiled for a GPU and, to prove it, for the host.
// SPDX-License-Identifier: Apache-2.0
//
// A kernel is a body that is called once for every index of a grid, in any order, and writes what no other index reads or writes:
// so it needs no synchronisation, and gives the same bits in every order. The one thing that threads do together is launch_sums:
// sums over many items, in fixed parts that are added in a fixed order.
#pragma once

#include <cstdint>

#include "backend/cuda/stream.h"
#if defined(__CUDACC__)
#include "backend/cuda/gpu/check_launch.h"
#else
#include "backend/cuda/kernels/host_stream.h"
#endif

#if defined(__CUDACC__)
#define FOVEA_KERNEL __device__
#define FOVEA_INLINE __host__ __device__ __forceinline__
#define FOVEA_UNROLL _Pragma("unroll")
#else
#define FOVEA_KERNEL
#define FOVEA_INLINE inline
#define FOVEA_UNROLL
#endif

namespace fovea::cuda {

inline constexpr int kBlock = 256;  // threads of a block

/// How launch_sums shares out its work; the sums depend on it, so it depends on nothing but the shape.
struct SumsGrid {
  int columns = 0;  ///< independent sums, each of `vector` neighbours
  int items = 0;    ///< what is added up
  int width = 1;    ///< columns of a block: neighbours, whose items lie side by side in memory
  int parts = 1;    ///< of the items; each has sums of its own
  int vector = 1;   ///< channels of a column

  [[nodiscard]] FOVEA_INLINE int lanes() const { return kBlock / width; }
  [[nodiscard]] FOVEA_INLINE int begin(int part) const {
    return static_cast<int>(static_cast<std::int64_t>(items) * part / parts);
  }
};

/// For `channels` that lie side by side, `vector` of them (a divisor) to a thread.
[[nodiscard]] inline SumsGrid sums_grid(int channels, int vector, std::int64_t items) {
  constexpr int kMostParts = 128, kLeastItems = 4, kBlocks = 1024;
  const int columns = channels / vector;
  SumsGrid grid{columns, static_cast<int>(items), 32, 1, vector};
  // The widest block that leaves no thread without a column, or else little waste.
  while (grid.width > 1 && columns % grid.width != 0 && (grid.width > 8 || columns < grid.width)) grid.width /= 2;
  const int across = (columns + grid.width - 1) / grid.width;
  const int wanted = grid.items / (grid.lanes() * kLeastItems);
  const int enough = (kBlocks + across - 1) / across;
  grid.parts = wanted < enough ? wanted : enough;
  if (grid.parts > kMostParts) grid.parts = kMostParts;
  if (grid.parts < 1) grid.parts = 1;
  return grid;
}

/// For rows of `items` each: items of a row lie side by side, and rows are short.
[[nodiscard]] inline SumsGrid row_sums_grid(int rows, int items) { return {rows, items, 1, 1, 1}; }

/// The sum of `parts` values that lie `stride` apart, in their order.
FOVEA_INLINE float sum_of_parts(const float* first, int parts, std::int64_t stride) {
  float sum = 0.0F;
#if defined(__CUDACC__)
#pragma unroll 8
#endif
  for (int part = 0; part < parts; ++part) sum += first[part * stride];
  return sum;
}

#if defined(__CUDACC__)

namespace detail {
inline constexpr int kResident = 2;  // blocks of sums on a multiprocessor, or all may wait at once: 128 registers a thread
template <class Body>
__global__ void __launch_bounds__(kBlock) run(std::int64_t count, Body body) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kBlock + threadIdx.x;
  if (i < count) body(static_cast<int>(i));
}

template <class Body>
__global__ void __launch_bounds__(kBlock, kResident) run_sums(SumsGrid grid, float* partial, bool add, Body body) {
  constexpr int kValues = Body::kValues, kWidth = Body::kWidth;
  __shared__ float shared[kBlock];
  const int at = static_cast<int>(threadIdx.x) % grid.width, lane = static_cast<int>(threadIdx.x) / grid.width;
  const int column = static_cast<int>(blockIdx.x) * grid.width + at, part = static_cast<int>(blockIdx.y);
  typename Body::Lane mine(body, column < grid.columns ? column : 0);
  if (column < grid.columns) {
    const int end = grid.begin(part + 1);
    for (int item = grid.begin(part) + lane; item < end; item += grid.lanes()) mine.add(item);
  }
  float* target = partial + (static_cast<std::int64_t>(part) * kValues * grid.columns + column) * kWidth;
  FOVEA_UNROLL
  for (int k = 0; k < kValues * kWidth; ++k) {
    __syncthreads();
    shared[threadIdx.x] = mine.sums[k];
    for (int half = grid.lanes() / 2; half > 0; half /= 2) {
      __syncthreads();
      if (lane < half) shared[threadIdx.x] += shared[threadIdx.x + half * grid.width];
    }
    if (lane != 0 || column >= grid.columns) continue;
    float& sum = target[static_cast<std::int64_t>(k / kWidth) * grid.columns * kWidth + k % kWidth];
    sum = add ? sum + shared[at] : shared[at];
  }
}

}  // namespace detail

/// Calls body(i) for 0 <= i < count, on the device.
template <class Body>
void launch(Stream stream, std::int64_t count, const Body& body) {
  if (count <= 0) return;
  detail::run<<<static_cast<unsigned>((count + kBlock - 1) / kBlock), kBlock, 0, stream>>>(count, body);
  check_launch();
}

/// partial (parts, Body::kValues, columns, Body::kWidth) = (or, with `add`, +=) what a Body::Lane(body, column) has in its `sums`
/// after add(item) of the part's items: each lane takes every lanes()-th, then the lanes are added as a tree.
template <class Body>
void launch_sums(Stream stream, const SumsGrid& grid, float* partial, bool add, const Body& body) {
  const dim3 blocks(static_cast<unsigned>((grid.columns + grid.width - 1) / grid.width), static_cast<unsigned>(grid.parts));
  detail::run_sums<<<blocks, kBlock, 0, stream>>>(grid, partial, add, body);
  check_launch();
}

#else

namespace detail {

/// Index `i` of `count` in the order that the stream asks for.
[[nodiscard]] inline std::int64_t in_order(Stream stream, std::int64_t count, std::int64_t i) {
  constexpr std::int64_t kPrime = 1'000'003;
  switch (stream->order) {
    case CUstream_st::Order::kForward: break;
    case CUstream_st::Order::kBackward: return count - 1 - i;
    case CUstream_st::Order::kScattered: return count % kPrime == 0 ? i : i * kPrime % count;
  }
  return i;
}

template <class Body>
void block_sums(const SumsGrid& grid, int column, int part, float* partial, bool add, const Body& body) {
  constexpr int kValues = Body::kValues, kWidth = Body::kWidth;
  float sums[kBlock][kValues * kWidth];
  for (int lane = 0; lane < grid.lanes(); ++lane) {
    typename Body::Lane mine(body, column);
    for (int item = grid.begin(part) + lane; item < grid.begin(part + 1); item += grid.lanes()) mine.add(item);
    for (int k = 0; k < kValues * kWidth; ++k) sums[lane][k] = mine.sums[k];
  }
  for (int half = grid.lanes() / 2; half > 0; half /= 2) {
    for (int lane = 0; lane < half; ++lane) {
      for (int k = 0; k < kValues * kWidth; ++k) sums[lane][k] += sums[lane + half][k];
    }
  }
  float* target = partial + (static_cast<std::int64_t>(part) * kValues * grid.columns + column) * kWidth;
  for (int k = 0; k < kValues * kWidth; ++k) {
    float& sum = target[static_cast<std::int64_t>(k / kWidth) * grid.columns * kWidth + k % kWidth];
    sum = add ? sum + sums[0][k] : sums[0][k];
  }
}

}  // namespace detail

template <class Body>
void launch(Stream stream, std::int64_t count, const Body& body) {
  for (std::int64_t i = 0; i < count; ++i) body(static_cast<int>(detail::in_order(stream, count, i)));
}

template <class Body>
void launch_sums(Stream stream, const SumsGrid& grid, float* partial, bool add, const Body& body) {
  const std::int64_t count = static_cast<std::int64_t>(grid.columns) * grid.parts;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t at = detail::in_order(stream, count, i);
    detail::block_sums(grid, static_cast<int>(at % grid.columns), static_cast<int>(at / grid.columns), partial, add, body);
  }
}

#endif

}  // namespace fovea::cuda
