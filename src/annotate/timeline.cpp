// SPDX-License-Identifier: Apache-2.0
#include "annotate/timeline.h"

#include <algorithm>
#include <cmath>

#include "annotate/colours.h"

namespace fovea::annotation {
namespace {

constexpr double kStreamSeconds = 60;                      // that a strip of unknown length begins with
constexpr std::uint32_t kDark = std::uint32_t{153} << 24;  // black of 60 %: what lies below a part that has not come yet

constexpr std::uint32_t opaque(Rgb colour) {
  return std::uint32_t{255} << 24 | std::uint32_t{colour.r} << 16 | std::uint32_t{colour.g} << 8 | colour.b;
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

void Timeline::shares_between(std::size_t first, std::size_t end, std::vector<double>& shares) const {
  shares.assign(classes_, 0);
  double weight = 0;
  const auto take = [&](const Column& column) {
    weight += column.weight;
    for (std::size_t k = 0; k < classes_; ++k) shares[k] += column.sums[k];
  };
  for (std::size_t i = first; i < end; ++i) take(columns_[i]);
  for (std::size_t i = first; weight == 0 && i > 0; --i) take(columns_[i - 1]);
  if (weight == 0) return shares.clear();
  for (double& share : shares) share /= weight;
}

void Timeline::draw(Layer& layer) const {
  std::vector<double> shares;
  for (int x = 0; x < layer.width; ++x) {
    const auto first = static_cast<std::size_t>(x) * kColumns / static_cast<std::size_t>(layer.width);
    const auto end = std::max(first + 1, static_cast<std::size_t>(x + 1) * kColumns / static_cast<std::size_t>(layer.width));
    shares.clear();
    if (first < filled_) shares_between(first, std::min(end, filled_), shares);
    int y = layer.height;
    double sum = 0;
    for (std::size_t k = 0; k < shares.size(); ++k) {
      sum += shares[k];
      const int until = layer.height - static_cast<int>(std::lround(std::min(1.0, sum) * layer.height));
      while (y > until) layer.row(--y)[x] = opaque(colour_of(k));
    }
    while (y > 0) layer.row(--y)[x] = kDark;
  }
}

}  // namespace fovea::annotation
