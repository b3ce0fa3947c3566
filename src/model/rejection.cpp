// SPDX-License-Identifier: Apache-2.0
#include "model/rejection.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace fovea {
namespace {

double dot(std::span<const float> a, std::span<const float> b) {
  // Eight sums side by side: the order is fixed, and a vector of the processor may hold them.
  std::array<float, 8> sums{};
  std::size_t i = 0;
  for (; i + sums.size() <= a.size(); i += sums.size()) {
    for (std::size_t lane = 0; lane < sums.size(); ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  double total = 0;
  for (const float sum : sums) total += sum;
  for (; i < a.size(); ++i) total += static_cast<double>(a[i]) * b[i];
  return total;
}

constexpr std::string_view kPrefix = "rejection.";
constexpr std::array<std::string_view, 2> kTensors{"mean", "basis"};

std::string full_name(std::string_view tensor) { return std::string(kPrefix) += tensor; }

std::span<const float> row(std::span<const float> matrix, std::size_t n, std::size_t width) {
  return matrix.subspan(n * width, width);
}

}  // namespace

double energy_of(std::span<const float> logits) {
  const double largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - largest);
  return -largest - std::log(sum);
}

double rejection_score(const Rejection& rejection, std::span<const float> features, std::span<const float> logits) {
  const auto width = rejection.mean.size();
  const auto rank = static_cast<std::size_t>(rejection.rank());
  const double length = std::sqrt(dot(features, features));
  if (!(length > 0) || features.size() != width) return std::numeric_limits<double>::infinity();
  std::vector<float> centred(width);
  for (std::size_t i = 0; i < width; ++i) centred[i] = static_cast<float>(features[i] / length) - rejection.mean[i];
  std::vector<float> inside(rank);
  for (std::size_t r = 0; r < rank; ++r) inside[r] = static_cast<float>(dot(row(rejection.basis, r, width), centred));
  const double outside = std::max(0.0, dot(centred, centred) - dot(inside, inside));
  const auto& energy = rejection.energy;
  const double unsure = energy ? (energy_of(logits) - energy->mean) / energy->deviation : 0;
  return outside / rejection.rest + unsure;
}

bool is_rejection_tensor(std::string_view name) {
  return name.starts_with(kPrefix) && std::ranges::find(kTensors, name.substr(kPrefix.size())) != kTensors.end();
}

std::vector<StoredTensor> rejection_tensors(const Rejection& rejection) {
  const std::int64_t width = rejection.width();
  const std::int64_t rank = rejection.rank();
  const auto tensor = [](const char* name, std::vector<std::int64_t> extents, std::span<const float> values) {
    return StoredTensor{full_name(name), DType::kF32, std::move(extents), std::as_bytes(values)};
  };
  return {tensor("mean", {width}, rejection.mean), tensor("basis", {rank, width}, rejection.basis)};
}

Result<void> read_rejection_tensors(const WeightFile& file, std::int64_t width, Rejection& rejection) {
  const auto read = [&](const char* suffix, std::vector<std::int64_t> expected) -> Result<std::vector<float>> {
    const std::string name = full_name(suffix);
    const StoredTensor* tensor = file.find(name);
    if (tensor != nullptr && tensor->extents != expected) {
      return fail(Error::Kind::kFormat, "{}: tensor '{}' is {}, expected {}", file.source(), name, to_string(tensor->extents),
                  to_string(expected));
    }
    return file.to_f32(name);
  };
  const StoredTensor* basis = file.find(full_name("basis"));
  const std::int64_t rank = basis != nullptr && !basis->extents.empty() ? basis->extents.front() : 0;
  if (rank < 1 || rank > Rejection::kMaxRank) {
    return fail(Error::Kind::kFormat, "{}: tensor 'rejection.basis' is missing or has {} rows, expected 1 to {}", file.source(),
                rank, Rejection::kMaxRank);
  }
  FOVEA_ASSIGN(rejection.mean, read("mean", {width}));
  FOVEA_ASSIGN(rejection.basis, read("basis", {rank, width}));
  return {};
}

}  // namespace fovea
