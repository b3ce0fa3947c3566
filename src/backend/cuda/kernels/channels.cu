// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/kernels/channels.h"

namespace fovea::cuda {

namespace {

template <int V, class T>
void copy_groups(Stream stream, const T* x, int x_stride, T* y, int y_stride, int count, std::int64_t rows) {
  const int groups = count / V;
  launch(stream, rows * groups, [=] FOVEA_KERNEL(int i) {
    const std::int64_t row = i / groups;
    const int c = i % groups * V;
    float value[V];
    load(x + row * x_stride + c, value);
    store(value, y + row * y_stride + c);
  });
}

}  // namespace

template <class T>
void copy_channels(Stream stream, const T* x, int x_stride, int from, T* y, int y_stride, int to, int count, std::int64_t rows) {
  const bool four = x_stride % 4 == 0 && from % 4 == 0 && y_stride % 4 == 0 && to % 4 == 0 && count % 4 == 0;
  four ? copy_groups<4>(stream, x + from, x_stride, y + to, y_stride, count, rows)
       : copy_groups<1>(stream, x + from, x_stride, y + to, y_stride, count, rows);
}

template <class T>
void pad_channels(Stream stream, const T* x, int channels, T* y, int begin, int total, std::int64_t rows) {
  launch(stream, rows * total, [=] FOVEA_KERNEL(int i) {
    const int c = i % total - begin;
    y[i] = c >= 0 && c < channels ? x[std::int64_t{i / total} * channels + c] : narrow<T>(0.0F);
  });
}

#define FOVEA_MAKE(T)                                                                       \
  template void copy_channels(Stream, const T*, int, int, T*, int, int, int, std::int64_t); \
  template void pad_channels(Stream, const T*, int, T*, int, int, std::int64_t);
FOVEA_FOR_EACH_NUMBER(FOVEA_MAKE)
#undef FOVEA_MAKE

void average_pool(Stream stream, const float* x, float* y, int images, int positions, int channels) {
  const auto count = static_cast<float>(positions);
  launch(stream, std::int64_t{images} * channels, [=] FOVEA_KERNEL(int i) {
    const int n = i / channels, c = i % channels;
    y[i] = sum_of_parts(x + std::int64_t{n} * positions * channels + c, positions, channels) / count;
  });
}

void average_pool_backward(Stream stream, const float* dy, float* dx, int images, int positions, int channels) {
  const auto count = static_cast<float>(positions);
  launch(stream, std::int64_t{images} * positions * channels, [=] FOVEA_KERNEL(int i) {
    const int row = i / channels;
    dx[i] = dy[row / positions * channels + i % channels] / count;
  });
}

namespace {

/// V neighbours of a row, which are channels of one tap or zeros behind the last one.
template <int V, class X, class T>
void lay_out(Stream stream, const Plane& plane, const X* x, T* rows, int stride) {
  const int groups = stride / V;
  launch(stream, plane.out_rows() * groups, [=] FOVEA_KERNEL(int index) {
    const int at = index % groups * V, row = index / groups;
    const int c = at % plane.channels, tap = at / plane.channels;
    const int w = row % plane.out_width, h = row / plane.out_width % plane.out_height;
    const int n = row / plane.out_width / plane.out_height;
    const int i = h * plane.stride - plane.top + tap / plane.kernel_w;
    const int j = w * plane.stride - plane.left + tap % plane.kernel_w;
    const bool inside = tap < plane.taps() && i >= 0 && i < plane.height && j >= 0 && j < plane.width;
    float value[V] = {};
    if (inside) load(x + ((static_cast<std::int64_t>(n) * plane.height + i) * plane.width + j) * plane.channels + c, value);
    store(value, rows + static_cast<std::int64_t>(index) * V);
  });
}

/// V neighbouring channels of a position of x.
template <int V, class D>
void gather(Stream stream, const Plane& plane, const float* rows, int stride, D* dx) {
  const int groups = plane.channels / V;
  launch(stream, plane.rows() * groups, [=] FOVEA_KERNEL(int index) {
    const int c = index % groups * V, position = index / groups;
    const int j = position % plane.width, i = position / plane.width % plane.height;
    const int n = position / plane.width / plane.height;
    float sum[V] = {};
    for (int r = 0; r < plane.kernel_h; ++r) {
      const int down = i + plane.top - r;
      if (down < 0 || down % plane.stride != 0 || down / plane.stride >= plane.out_height) continue;
      for (int s = 0; s < plane.kernel_w; ++s) {
        const int across = j + plane.left - s;
        if (across < 0 || across % plane.stride != 0 || across / plane.stride >= plane.out_width) continue;
        const std::int64_t row =
            (static_cast<std::int64_t>(n) * plane.out_height + down / plane.stride) * plane.out_width + across / plane.stride;
        float value[V];
        load(rows + row * stride + (r * plane.kernel_w + s) * plane.channels + c, value);
        for (int v = 0; v < V; ++v) sum[v] += value[v];
      }
    }
    store(sum, dx + static_cast<std::int64_t>(index) * V);
  });
}

}  // namespace

template <class X, class T>
void patches(Stream stream, const Plane& plane, const X* x, T* rows, int stride) {
  vector_of(plane.channels) == 4 ? lay_out<4>(stream, plane, x, rows, stride) : lay_out<1>(stream, plane, x, rows, stride);
}

template <class D>
void patches_backward(Stream stream, const Plane& plane, const float* rows, int stride, D* dx) {
  vector_of(plane.channels) == 4 ? gather<4>(stream, plane, rows, stride, dx) : gather<1>(stream, plane, rows, stride, dx);
}

template <class T>
void filters_to_rows(Stream stream, const float* w, T* rows, int filters, int channels, int taps, int stride) {
  launch(stream, std::int64_t{filters} * stride, [=] FOVEA_KERNEL(int i) {
    const int k = i / stride, tap = i % stride / channels, c = i % stride % channels;
    rows[i] = narrow<T>(tap < taps ? w[(k * channels + c) * taps + tap] : 0.0F);
  });
}

#define FOVEA_MAKE(T)                                             \
  template void patches(Stream, const Plane&, const float*, T*, int); \
  template void filters_to_rows(Stream, const float*, T*, int, int, int, int);
FOVEA_FOR_EACH_NUMBER(FOVEA_MAKE)
FOVEA_MAKE(Tf32)
#undef FOVEA_MAKE
#define FOVEA_MAKE(T) template void patches(Stream, const Plane&, const T*, T*, int);
FOVEA_FOR_EACH_SHORT(FOVEA_MAKE)
#undef FOVEA_MAKE
#define FOVEA_MAKE(T) template void patches_backward(Stream, const Plane&, const float*, int, T*);
FOVEA_FOR_EACH_NUMBER(FOVEA_MAKE)
#undef FOVEA_MAKE

void rows_to_filters(Stream stream, const float* rows, float* w, int filters, int channels, int taps, int stride) {
  launch(stream, std::int64_t{filters} * channels * taps, [=] FOVEA_KERNEL(int i) {
    const int tap = i % taps, c = i / taps % channels, k = i / taps / channels;
    w[i] = rows[k * stride + tap * channels + c];
  });
}

}  // namespace fovea::cuda
