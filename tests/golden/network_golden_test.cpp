// Fovea: every network against PyTorch in double precision (tools/make_goldens.py).
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "cuda_host/host_backend.h"
#include "golden/network_runner.h"
#include "train/precision.h"

namespace fovea::test {
namespace {

// What is promised: errors by norm, relative to the truth's.
constexpr double kLogits = 1e-4;
constexpr double kGradient = 1e-3;
constexpr double kStatistics = 1e-4;
constexpr double kLoss = 1e-4;
// What bf16 may cost is what it costs PyTorch (autocast, channels-last), which is recorded: in gradients of each network and a
// quarter more, for here too the way that single roundings fall moves it; in the loss, one number whose error has either sign,
// the most of any network.
constexpr double kOfPyTorchInBf16 = 1.25;
constexpr double kLossInBf16 = 2.6e-2;
// With three bits more, an eighth.
constexpr double kOfElevenBits = 0x1p-11 / 0x1p-8;
// But for an activation that is carried over a kink of relu6 (by rounding to whichever number of bits), which is one more or less
// in the gradient: with so few and small pictures, up to so much of it.
constexpr double kKink = 2e-2;
// A gradient that exact arithmetic makes zero (of a shift that the next BatchNorm takes out) has no relative error: in the truth
// it is below the first, what single precision may leave of it below the second share of the whole gradient's norm.
constexpr double kZeroInTruth = 1e-10;
constexpr double kZeroInSingle = 1e-6;

struct Case {
  std::string network;
  std::string backend;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.network << " on " << c.backend; }

double relative_distance(std::span<const float> a, std::span<const float> b) {
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i]) - b[i], 2);
    norm += std::pow(static_cast<double>(b[i]), 2);
  }
  return std::sqrt(difference / norm);
}

double whole_norm(const std::vector<Summary>& truth) {
  double squares = 0;
  for (const Summary& summary : truth) squares += summary.norm * summary.norm;
  return std::sqrt(squares);
}

class NetworkGolden : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (const auto backend = make_any_backend(GetParam().backend); !backend) GTEST_SKIP() << backend.error().message;
    auto read = read_golden_case(GetParam().network);
    ASSERT_TRUE(read.ok()) << read.error().message;
    golden_ = std::move(read).value();
  }

  std::unique_ptr<NetworkRunner> runner(Use use) {
    auto made = NetworkRunner::make(golden_, GetParam().backend, use);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return made.ok() ? std::move(made).value() : nullptr;
  }

  /// The largest relative error of any tensor.
  template <class Values>
  double worst(const std::vector<std::string>& names, const std::vector<Summary>& truth, double bound, Values values) {
    const double total = whole_norm(truth);
    double most = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const double error = distance(project(values(names[i])), truth[i].projections);
      if (truth[i].norm <= kZeroInTruth * total) {
        EXPECT_LE(error, kZeroInSingle * total) << names[i] << " is zero";
        continue;
      }
      EXPECT_LE(error, bound * truth[i].norm) << names[i];
      most = std::max(most, error / truth[i].norm);
    }
    return most;
  }

  void tell(std::string_view what, double figure) const {
    fmt::print("[agreement ] {} | {} | {} | {:.1e}\n", GetParam().backend, GetParam().network, what, figure);
  }

  GoldenCase golden_;
};

TEST_P(NetworkGolden, Logits) {
  const auto network = runner(Use::kInference);
  ASSERT_TRUE(network);
  network->run();
  const double error = relative_distance(network->output("logits"), golden_.logits);
  tell("logits", error);
  EXPECT_LE(error, kLogits);
}

TEST_P(NetworkGolden, GradientsWithStoredStatistics) {
  const auto network = runner(Use::kFrozenTraining);
  ASSERT_TRUE(network);
  network->run();
  EXPECT_NEAR(network->output("loss")[0], golden_.frozen_loss, kLoss * golden_.frozen_loss);
  tell("gradients, stored statistics",
       worst(golden_.parameters, golden_.frozen_gradients, kGradient, [&](const auto& name) { return network->gradient(name); }));
}

class RoundedNetwork : public NetworkGolden {
 protected:
  /// Rounding leaves some per cent in bf16, and an eighth of that with three bits more; one wrong op leaves far more.
  void expect_near(graph::Precision precision, Use use, double loss, const std::vector<Summary>& truth) {
    const bool short_ones = precision == graph::Precision::kBF16, kinks = golden_.spec.family != NetworkFamily::kYolo11Cls;
    const double finer = short_ones ? 1 : kOfElevenBits;
    const double in_bf16 = use == Use::kLiveTraining ? golden_.live_bf16 : golden_.frozen_bf16;
    const double most = finer * kOfPyTorchInBf16 * in_bf16 + (kinks && !short_ones ? kKink : 0);
    auto made = NetworkRunner::make(golden_, GetParam().backend, use, {}, precision);
    ASSERT_TRUE(made.ok()) << made.error().message;
    (*made)->run();
    EXPECT_NEAR((*made)->loss(), loss, finer * kLossInBf16 * loss);
    double squares = 0;
    for (std::size_t i = 0; i < golden_.parameters.size(); ++i)
      squares += std::pow(distance(project((*made)->gradient(golden_.parameters[i])), truth[i].projections), 2);
    const double error = std::sqrt(squares) / whole_norm(truth);
    tell(fmt::format("gradients in {}, {} statistics", name_of(precision), use == Use::kLiveTraining ? "live" : "stored"), error);
    EXPECT_LE(error, most);
    EXPECT_GT(error, finer * kGradient) << "nothing was rounded";
  }
  void expect_with_stored_statistics(PrecisionChoice choice) {
    const auto backend = make_any_backend(GetParam().backend);
    const auto precision = training::choose_precision(choice, **backend);
    if (!precision) GTEST_SKIP() << precision.error().message;
    expect_near(*precision, Use::kFrozenTraining, golden_.frozen_loss, golden_.frozen_gradients);
  }
  void expect_with_live_statistics(graph::Precision precision) {
    const auto backend = make_any_backend(GetParam().backend);
    if (training::precisions_of(precision, **backend).live_convolutions == graph::Precision::kF32) GTEST_SKIP() << "floats then";
    expect_near(precision, Use::kLiveTraining, golden_.live_losses[0], golden_.live_gradients);
  }
};

TEST_P(RoundedNetwork, GradientsInBf16WithStoredStatistics) { expect_with_stored_statistics(PrecisionChoice::kBf16); }
TEST_P(RoundedNetwork, GradientsInBf16WithLiveStatistics) { expect_with_live_statistics(graph::Precision::kBF16); }
TEST_P(RoundedNetwork, GradientsInTf32WithStoredStatistics) { expect_with_stored_statistics(PrecisionChoice::kTf32); }
TEST_P(RoundedNetwork, GradientsInTf32WithLiveStatistics) { expect_with_live_statistics(graph::Precision::kTF32); }
TEST_P(RoundedNetwork, GradientsInFp16WithStoredStatistics) { expect_with_stored_statistics(PrecisionChoice::kFp16); }
TEST_P(RoundedNetwork, GradientsInFp16WithLiveStatistics) { expect_with_live_statistics(graph::Precision::kFP16); }

TEST_P(NetworkGolden, TrainingWithLiveStatistics) {
  const auto network = runner(Use::kLiveTraining);
  ASSERT_TRUE(network);
  std::vector<float> losses;
  for (std::size_t step = 0; step < golden_.live_losses.size(); ++step) {
    network->run();
    losses.push_back(network->output("loss")[0]);
    if (step == 0) {
      tell("gradients, live statistics", worst(golden_.parameters, golden_.live_gradients, kGradient,
                                               [&](const auto& name) { return network->gradient(name); }));
      tell("running statistics",
           worst(golden_.states, golden_.live_statistics, kStatistics, [&](const auto& name) { return network->value(name); }));
    }
    network->step(golden_.rate, golden_.momentum);
    EXPECT_NEAR(losses.back(), golden_.live_losses[step], kLoss * golden_.live_losses[step]) << "step " << step;
  }
  tell("losses of ten steps", relative_distance(losses, golden_.live_losses));
}

/// The same without recorded values: a block as one op gives what its ops give one by one.
TEST(LiveBlocks, AsOneOpAndOpByOpAgree) {
  for (const std::string network : {"mobilenet_v2_0.35_same", "efficientnet_lite0"}) {
    SCOPED_TRACE(network);
    const auto golden = read_golden_case(network);
    ASSERT_TRUE(golden.ok()) << golden.error().message;
    const auto fused = NetworkRunner::make(*golden, "cpu", Use::kLiveTraining, graph::LiveBlocks::kFused);
    const auto apart = NetworkRunner::make(*golden, "cpu", Use::kLiveTraining, graph::LiveBlocks::kOpByOp);
    ASSERT_TRUE(fused.ok()) << fused.error().message;
    ASSERT_TRUE(apart.ok()) << apart.error().message;
    (*fused)->run();
    (*apart)->run();
    EXPECT_LT(relative_distance((*fused)->output("logits"), (*apart)->output("logits")), kLogits);
    double most = 0;
    for (const std::string& name : golden->states)
      EXPECT_LT(relative_distance((*fused)->value(name), (*apart)->value(name)), kStatistics) << name;
    for (std::size_t i = 0; i < golden->parameters.size(); ++i) {
      const std::string& name = golden->parameters[i];
      if (golden->live_gradients[i].norm <= kZeroInTruth * whole_norm(golden->live_gradients)) continue;
      const double error = relative_distance((*fused)->gradient(name), (*apart)->gradient(name));
      EXPECT_LT(error, kGradient) << name;
      most = std::max(most, error);
    }
    fmt::print("[agreement ] cpu | {} | gradients, blocks as one op and op by op | {:.1e}\n", network, most);
  }
}

constexpr const char* kSmallest[] = {"mobilenet_v2_0.35", "mobilenet_v2_0.35_same", "efficientnet_lite0", "yolo11n-cls"};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const std::string network :
       {"mobilenet_v2_0.35", "mobilenet_v2_0.35_same", "mobilenet_v2_0.35_conv_head", "mobilenet_v2", "mobilenet_v2_same",
        "mobilenet_v2_1.4", "mobilenet_v2_1.4_same", "efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2",
        "efficientnet_lite3", "efficientnet_lite4", "yolo11n-cls", "yolo11s-cls", "yolo11m-cls", "yolo11l-cls", "yolo11x-cls"}) {
    all.push_back({network, "cpu"});
    all.push_back({network, "cuda"});
  }
  // Plain loops are slow: the smallest of each family.
  for (const std::string network : kSmallest) {
    all.push_back({network, "reference"});
    all.push_back({network, "cuda-host"});
  }
  return all;
}

std::string test_name(const testing::TestParamInfo<Case>& test) {
  std::string name = test.param.network + "_" + test.param.backend;
  std::ranges::replace_if(
      name, [](char c) { return c == '.' || c == '-'; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(PyTorch, NetworkGolden, testing::ValuesIn(cases()), test_name);
INSTANTIATE_TEST_SUITE_P(PyTorch, RoundedNetwork, testing::ValuesIn(cases()), test_name);

}  // namespace
}  // namespace fovea::test
