// Training where a backend's memory is does what the host's optimiser does.
// SPDX-License-Identifier: Apache-2.0
#include "backend/training_ops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "backend/registry.h"
#include "core/rng.h"
#include "cuda_host/host_backend.h"
#include "train/optimizer.h"

namespace fovea {
namespace {

using training::OptimizerOptions;
using training::Span;

constexpr std::size_t kSize = 9001;  // some rows and a rest
const std::vector<Span> kSpans{{0, 100, true}, {128, 5000, false}, {6016, kSize - 6016, true}};

std::vector<float> normals(std::uint64_t seed, std::size_t count) {
  Rng rng(seed);
  std::vector<float> values(count);
  for (float& value : values) value = rng.normal();
  return values;
}

/// "cuda" where there is one, and always the proof of its kernels on the host.
class TrainingOpsOf : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    auto made = test::make_any_backend(GetParam());
    if (!made) GTEST_SKIP() << made.error().message;
    backend_ = std::move(made).value();
    memory_ = backend_->memory();
    ops_ = backend_->training();
    ASSERT_NE(ops_, nullptr);
  }
  template <class T>
  DeviceBuffer give(const std::vector<T>& values) {
    DeviceBuffer made(memory_, values.size() * sizeof(T));
    memory_->upload(std::as_bytes(std::span(values)), made.data());
    return made;
  }
  std::vector<float> take(const DeviceBuffer& buffer) {
    std::vector<float> values(buffer.size() / sizeof(float));
    memory_->download(buffer.data(), std::as_writable_bytes(std::span(values)));
    return values;
  }
  DeviceBuffer trained() {
    std::vector<Trained> flags(kSize, Trained::kNo);
    for (const Span& span : kSpans) {
      for (std::size_t i = span.offset; i < span.offset + span.size; ++i)
        flags[i] = span.decay ? Trained::kDecaying : Trained::kYes;
    }
    return give(flags);
  }
  void expect_steps_as_the_host(const OptimizerOptions& options);

  std::unique_ptr<Backend> backend_;
  std::shared_ptr<Memory> memory_;
  std::shared_ptr<TrainingOps> ops_;
};

void TrainingOpsOf::expect_steps_as_the_host(const OptimizerOptions& options) {
  constexpr double kLimit = 20, kRate = 0.01, kKept = 0.9;
  auto values = normals(1, kSize);
  auto average = values;
  training::Optimizer optimizer(options, kSpans, kSize);
  const DeviceBuffer parameters = give(values), of_average = give(values), flags = trained(),
                     scale(memory_, sizeof(GradientScale));
  const DeviceBuffer first(memory_, kSize * sizeof(float)), second(memory_, kSize * sizeof(float));
  const DeviceBuffer work(memory_, static_cast<std::size_t>(ops_->clip_floats(kSize)) * sizeof(float));
  for (std::int64_t step = 0; step < 3; ++step) {
    const auto gradients = normals(static_cast<std::uint64_t>(step) + 7, kSize);
    const double norm = training::gradient_norm({}, gradients, kSpans);
    optimizer.step({}, values, gradients, kRate, training::clip_scale(norm, kLimit));
    for (std::size_t i = 0; i < kSize; ++i) average[i] += static_cast<float>(1 - kKept) * (values[i] - average[i]);

    const DeviceBuffer part = give(gradients), sum(memory_, kSize * sizeof(float));
    ops_->accumulate(part.f32(), sum.f32(), kSize);
    const auto* of = reinterpret_cast<const Trained*>(flags.data());
    auto* found = reinterpret_cast<GradientScale*>(scale.data());
    ops_->clip(sum.f32(), of, kSize, kLimit, work.f32(), found, nullptr);
    EXPECT_NEAR(take(scale)[1], norm, 1e-5 * norm);
    const TrainingOps::Buffers buffers{parameters.f32(), sum.f32(), first.f32(), second.f32(), of, found, kSize};
    if (options.kind == OptimizerOptions::Kind::kAdamW) {
      ops_->adamw({.lr = kRate, .weight_decay = options.weight_decay, .step = step + 1}, buffers);
    } else {
      ops_->sgd({.lr = kRate, .weight_decay = options.weight_decay, .nesterov = options.nesterov}, buffers);
    }
    ops_->update_average(1 - kKept, parameters.f32(), of_average.f32(), kSize, found);
  }
  // The norm is summed in another order; everything else is a few roundings of numbers around 1.
  constexpr float kTolerance = 64 * 0x1p-24F;
  EXPECT_THAT(take(parameters), testing::Pointwise(testing::FloatNear(kTolerance), values));
  EXPECT_THAT(take(of_average), testing::Pointwise(testing::FloatNear(kTolerance), average));
}

TEST_P(TrainingOpsOf, AStepWhoseGradientsOverflowMovesNothingAndHalvesTheLossScale) {
  const auto values = normals(1, kSize), kept = normals(2, kSize);
  const DeviceBuffer parameters = give(values), average = give(kept), states = give(kept), flags = trained();
  const DeviceBuffer first = give(kept), second = give(kept), old_states = give(values);
  const DeviceBuffer work(memory_, static_cast<std::size_t>(ops_->clip_floats(kSize)) * sizeof(float));
  const DeviceBuffer scale(memory_, sizeof(GradientScale)), loss = give(std::vector<LossScale>{{1024, 7, 3}});
  auto* found = reinterpret_cast<GradientScale*>(scale.data());
  auto* of_loss = reinterpret_cast<LossScale*>(loss.data());
  const auto* of = reinterpret_cast<const Trained*>(flags.data());
  const auto step = [&](const std::vector<float>& gradients) {
    const DeviceBuffer sum = give(gradients);
    ops_->clip(sum.f32(), of, kSize, 20, work.f32(), found, of_loss);
    const TrainingOps::Buffers buffers{parameters.f32(), sum.f32(), first.f32(), second.f32(), of, found, kSize};
    ops_->put_back(old_states.f32(), states.f32(), kSize, found);
    ops_->adamw({.lr = 0.01}, buffers);
    ops_->sgd({.lr = 0.01}, buffers);
    ops_->update_average(0.5, parameters.f32(), average.f32(), kSize, found);
    LossScale now;
    memory_->download(loss.data(), std::as_writable_bytes(std::span(&now, 1)));
    return now;
  };
  auto gradients = normals(5, kSize);
  const double norm = training::gradient_norm({}, gradients, kSpans);
  for (float& g : gradients) g *= 1024;
  for (const float wrong : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    auto overflown = gradients;
    overflown[200] = wrong;
    const LossScale now = step(overflown);
    EXPECT_EQ(now, (std::isnan(wrong) ? LossScale{256, 0, 5} : LossScale{512, 0, 4}));
    for (const DeviceBuffer* buffer : {&average, &first, &second}) EXPECT_EQ(take(*buffer), kept);
    EXPECT_EQ(take(parameters), values);
    EXPECT_EQ(take(states), values) << "what the run has moved is put back";
  }
  auto not_trained = gradients;
  not_trained[110] = std::numeric_limits<float>::infinity();  // between two spans
  for (float& g : not_trained) g /= 4;
  EXPECT_EQ(step(not_trained), (LossScale{256, 1, 5}));
  EXPECT_NEAR(take(scale)[0], 20 / norm / 256, 1e-5 * 20 / norm / 256) << "clipped, and the scale undone";
  EXPECT_NEAR(take(scale)[1], norm, 1e-5 * norm);
  EXPECT_NE(take(parameters), values);
}

TEST(LossScale, DoublesAfterManyGoodSteps) {
  LossScale scale{64, 0, 2};
  for (int i = 1; i < LossScale::kGoodSteps; ++i) scale = scale.after(true);
  EXPECT_EQ(scale, (LossScale{64, LossScale::kGoodSteps - 1, 2}));
  EXPECT_EQ(scale.after(true), (LossScale{128, 0, 2}));
  EXPECT_EQ(scale.after(false), (LossScale{32, 0, 3})) << "and has to begin anew";
  EXPECT_EQ((LossScale{LossScale::kMost, LossScale::kGoodSteps - 1, 0}).after(true).scale, LossScale::kMost);
  EXPECT_EQ((LossScale{LossScale::kLeast, 0, 0}).after(false).scale, LossScale::kLeast);
}

TEST_P(TrainingOpsOf, AdamW) { expect_steps_as_the_host({.weight_decay = 0.1}); }
TEST_P(TrainingOpsOf, Sgd) { expect_steps_as_the_host({.kind = OptimizerOptions::Kind::kSgd, .weight_decay = 0.1}); }
TEST_P(TrainingOpsOf, SgdWithNesterov) {
  expect_steps_as_the_host({.kind = OptimizerOptions::Kind::kSgd, .weight_decay = 0.1, .nesterov = true});
}

std::string test_name(const testing::TestParamInfo<std::string>& test) { return test.param == "cuda" ? "cuda" : "cuda_host"; }
INSTANTIATE_TEST_SUITE_P(Device, TrainingOpsOf, testing::Values("cuda", "cuda-host"), test_name);

}  // namespace
}  // namespace fovea
