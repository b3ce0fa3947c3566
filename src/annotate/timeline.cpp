// SPDX-License-Identifier: Apache-2.0
#include "annotate/timeline.h"

#include <algorithm>
#include <cmath>

#include "annotate/colours.h"

namespace fovea::annotation {
namespace {

constexpr double kStreamSeconds = 60;  // that a strip of unknown length begins with
constexpr int kDark = 40;              // of 255: what is left of the picture below the strip's empty part, in percent of it

void put(Image& image, int x, int y, Rgb colour) {
  std::uint8_t* pixel = image.row(y) + 3 * static_cast<std::size_t>(x);
  pixel[0] = colour.r;
  pixel[1] = colour.g;
  pixel[2] = colour.b;
}

void darken(Image& image, int x, int y) {
  std::uint8_t* pixel = image.row(y) + 3 * static_cast<std::size_t>(x);
  for (int c = 0; c < 3; ++c) pixel[c] = static_cast<std::uint8_t>(pixel[c] * kDark / 100);
}

}  // namespace

Timeline::Timeline(std::optional<double> seconds, std::size_t classes)
    : seconds_(seconds && *seconds > 0 ? *seconds : kStreamSeconds), classes_(classes), columns_(kColumns) {
  for (Column& column : columns_) column.sums.assign(classes, 0);
}

void Timeline::press_together() {
  for (std::size_t i = 0; i < kColumns; ++i) {
    Column sum;
    sum.sums.assign(classes_, 0);
    for (std::size_t from = 2 * i; from < std::min(2 * i + 2, kColumns); ++from) {
      sum.weight += columns_[from].weight;
      for (std::size_t k = 0; k < classes_; ++k) sum.sums[k] += columns_[from].sums[k];
    }
    columns_[i] = std::move(sum);
  }
  filled_ = (filled_ + 1) / 2;
  seconds_ *= 2;
}

void Timeline::add(double seconds, std::span<const double> shares) {
  while (seconds > seconds_) press_together();
  const auto place = std::min(kColumns - 1, static_cast<std::size_t>(std::max(0.0, seconds) / seconds_ * kColumns));
  filled_ = std::max(filled_, place + 1);
  columns_[place].weight += 1;
  for (std::size_t k = 0; k < classes_; ++k) columns_[place].sums[k] += shares[k];
}

std::vector<double> Timeline::shares_between(std::size_t first, std::size_t end) const {
  std::vector<double> shares(classes_, 0);
  double weight = 0;
  const auto take = [&](const Column& column) {
    weight += column.weight;
    for (std::size_t k = 0; k < classes_; ++k) shares[k] += column.sums[k];
  };
  for (std::size_t i = first; i < end; ++i) take(columns_[i]);
  for (std::size_t i = first; weight == 0 && i > 0; --i) take(columns_[i - 1]);
  if (weight == 0) return {};
  for (double& share : shares) share /= weight;
  return shares;
}

void Timeline::draw(Image& image, int left, int top, int width, int height) const {
  for (int x = 0; x < width; ++x) {
    const auto first = static_cast<std::size_t>(x) * kColumns / static_cast<std::size_t>(width);
    const auto end = std::max(first + 1, static_cast<std::size_t>(x + 1) * kColumns / static_cast<std::size_t>(width));
    const std::vector<double> shares = first < filled_ ? shares_between(first, std::min(end, filled_)) : std::vector<double>();
    int y = top + height;
    double sum = 0;
    for (std::size_t k = 0; k < shares.size(); ++k) {
      sum += shares[k];
      const int until = top + height - static_cast<int>(std::lround(std::min(1.0, sum) * height));
      while (y > until) put(image, left + x, --y, colour_of(k));
    }
    while (y > top) darken(image, left + x, --y);
  }
}

}  // namespace fovea::annotation
