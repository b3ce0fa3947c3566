// Fovea: a small network and two epochs of random pictures, which tests of fine-tuning compare with each other.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "backend/registry.h"
#include "core/error.h"
#include "core/rng.h"
#include "model/registry.h"
#include "model/weights.h"
#include "train/fine_tuner.h"

namespace fovea::training {

inline constexpr int kBatch = 16;
inline constexpr int kPhotos = 2 * kBatch + 5;  // the last batch has padding

inline NetworkSpec tiny_spec() {
  NetworkSpec spec = find_architecture("mobilenet_v2_0.35")->spec;
  spec.height = spec.width = 32;
  spec.classes = 3;
  spec.dropout = 0.5F;
  return spec;
}

inline ParameterSet fresh_parameters(const NetworkSpec& spec) {
  ParameterSet parameters(*build_network(spec));
  initialize_parameters(parameters, 5);
  return parameters;
}

/// Plain descent: rounding stays rounding, while Adam makes whole steps of gradients that are nearly nothing.
inline FineTuneOptions plain_options() {
  FineTuneOptions options;
  options.batch = kBatch;
  options.optimizer.kind = OptimizerOptions::Kind::kSgd;
  options.schedule = {.peak = 0.05, .steps = 100, .warmup = 1};
  options.ema_decay = 0.9;
  options.seed = 3;
  return options;
}

/// The same random pictures in every epoch, each of another weight; one part of every batch, or all of it.
class RandomBatches final : public BatchSource {
 public:
  explicit RandomBatches(const NetworkSpec& spec, int part = 0, int parts = 1) : rows_(kBatch / parts), first_(part * rows_) {
    const auto pixels = static_cast<std::size_t>(spec.height * spec.width * 3);
    for (int photo = 0; photo < batches() * kBatch; ++photo) {
      if (photo % kBatch < first_ || photo % kBatch >= first_ + rows_) continue;
      Rng rng(9, static_cast<std::uint32_t>(photo));
      for (std::size_t i = 0; i < pixels; ++i) input_.push_back(photo < kPhotos ? rng.uniform(-1, 1) : 0.0F);
      for (int k = 0; k < spec.classes; ++k) targets_.push_back(photo % spec.classes == k ? 1.0F : 0.0F);
      weights_.push_back(photo < kPhotos ? 0.5F + rng.uniform() : 0.0F);
    }
  }
  void fail_at(std::int64_t batch) { failing_ = batch; }
  void start_epoch(std::uint32_t /*epoch*/, std::int64_t first) override { next_ = first; }
  Result<bool> next(StepBatch& batch) override {
    if (next_ == failing_) return fail(Error::Kind::kIo, "the disk is gone");
    if (next_ >= batches()) return false;
    const auto number = static_cast<std::size_t>(next_);
    const auto of = [&](auto& values) {
      const std::size_t size = values.size() / static_cast<std::size_t>(batches());
      return std::span(values).subspan(number * size, size);
    };
    const std::int64_t count = std::clamp<std::int64_t>(kPhotos - next_ * kBatch - first_, 0, rows_);
    batch = {of(input_), of(targets_), of(weights_), rows_, count, first_, (next_ + 1) * kBatch <= kPhotos};
    ++next_;
    return true;
  }
  [[nodiscard]] std::int64_t batches_per_epoch() const override { return batches(); }

 private:
  static std::int64_t batches() { return (kPhotos + kBatch - 1) / kBatch; }
  std::int64_t rows_;
  std::int64_t first_;
  std::int64_t next_ = 0;
  std::int64_t failing_ = -1;
  std::vector<float> input_, targets_, weights_;
};

struct Trained {
  std::vector<float> parameters;
  std::vector<float> average;
  EpochResult last;
  std::optional<Split> split;
};

inline Result<Trained> train_with(const Backend& backend, FineTuneOptions options = plain_options(), int part = 0,
                                  int parts = 1) {
  const NetworkSpec spec = tiny_spec();
  ParameterSet parameters = fresh_parameters(spec);
  FOVEA_ASSIGN(FineTuner tuner, FineTuner::create({}, backend, spec, parameters, options));
  RandomBatches source(spec, part, parts);
  Trained trained;
  for (std::uint32_t epoch = 1; epoch <= 2; ++epoch) {
    FOVEA_ASSIGN(trained.last, tuner.run_epoch(source, epoch));
  }
  trained.average.assign(tuner.result().begin(), tuner.result().end());
  trained.parameters.assign(parameters.all().begin(), parameters.all().end());
  trained.split = tuner.split();
  return trained;
}

inline void expect_alike(std::span<const float> a, std::span<const float> b) {
  ASSERT_EQ(a.size(), b.size());
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = std::max(difference, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    size = std::max(size, std::abs(static_cast<double>(a[i])));
  }
  // Sums of a few thousand terms in another order, over six steps.
  EXPECT_LT(difference, 2e-5 * size);
}

inline Trained whole() { return train_with(*make_backend("cpu").value()).value(); }

}  // namespace fovea::training
