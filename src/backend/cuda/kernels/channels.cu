// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/kernels/channels.h"

namespace fovea::cuda {

void copy_channels(Stream stream, const float* x, int x_stride, int from, float* y, int y_stride, int to, int count,
                   std::int64_t rows) {
  launch(stream, rows * count, [=] FOVEA_KERNEL(int i) {
    const std::int64_t row = i / count;
    y[row * y_stride + to + i % count] = x[row * x_stride + from + i % count];
  });
}

void pad_channels(Stream stream, const float* x, int channels, float* y, int begin, int total, std::int64_t rows) {
  launch(stream, rows * total, [=] FOVEA_KERNEL(int i) {
    const int c = i % total - begin;
    y[i] = c >= 0 && c < channels ? x[std::int64_t{i / total} * channels + c] : 0.0F;
  });
}

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

void patches(Stream stream, const Plane& plane, const float* x, float* rows, int stride) {
  launch(stream, plane.out_rows() * stride, [=] FOVEA_KERNEL(int index) {
    const int at = index % stride, row = index / stride;
    const int c = at % plane.channels, tap = at / plane.channels;
    const int w = row % plane.out_width, h = row / plane.out_width % plane.out_height;
    const int n = row / plane.out_width / plane.out_height;
    const int i = h * plane.stride - plane.top + tap / plane.kernel_w;
    const int j = w * plane.stride - plane.left + tap % plane.kernel_w;
    const bool inside = tap < plane.taps() && i >= 0 && i < plane.height && j >= 0 && j < plane.width;
    rows[index] = inside ? x[((static_cast<std::int64_t>(n) * plane.height + i) * plane.width + j) * plane.channels + c] : 0.0F;
  });
}

void patches_backward(Stream stream, const Plane& plane, const float* rows, int stride, float* dx) {
  launch(stream, plane.rows() * plane.channels, [=] FOVEA_KERNEL(int index) {
    const int c = index % plane.channels, position = index / plane.channels;
    const int j = position % plane.width, i = position / plane.width % plane.height;
    const int n = position / plane.width / plane.height;
    float sum = 0.0F;
    for (int r = 0; r < plane.kernel_h; ++r) {
      const int down = i + plane.top - r;
      if (down < 0 || down % plane.stride != 0 || down / plane.stride >= plane.out_height) continue;
      for (int s = 0; s < plane.kernel_w; ++s) {
        const int across = j + plane.left - s;
        if (across < 0 || across % plane.stride != 0 || across / plane.stride >= plane.out_width) continue;
        const std::int64_t row =
            (static_cast<std::int64_t>(n) * plane.out_height + down / plane.stride) * plane.out_width + across / plane.stride;
        sum += rows[row * stride + (r * plane.kernel_w + s) * plane.channels + c];
      }
    }
    dx[index] = sum;
  });
}

void filters_to_rows(Stream stream, const float* w, float* rows, int filters, int channels, int taps, int stride) {
  launch(stream, std::int64_t{filters} * stride, [=] FOVEA_KERNEL(int i) {
    const int k = i / stride, tap = i % stride / channels, c = i % stride % channels;
    rows[i] = tap < taps ? w[(k * channels + c) * taps + tap] : 0.0F;
  });
}

void rows_to_filters(Stream stream, const float* rows, float* w, int filters, int channels, int taps, int stride) {
  launch(stream, std::int64_t{filters} * channels * taps, [=] FOVEA_KERNEL(int i) {
    const int tap = i % taps, c = i / taps % channels, k = i / taps / channels;
    w[i] = rows[k * stride + tap * channels + c];
  });
}

}  // namespace fovea::cuda
