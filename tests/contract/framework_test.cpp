// Fovea: the contract catches what it is there to catch: backends with one fault each must fail it.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest-spi.h>

#include <functional>
#include <string>

#include "backend/reference/reference_backend.h"
#include "contract/case.h"
#include "contract/modes.h"

namespace fovea::contract {
namespace {

/// Something that a kernel does after (or before) it has computed the right answer.
using Misdeed = std::function<void(const Arguments&, int threads)>;

class FaultyKernel final : public Kernel {
 public:
  FaultyKernel(std::unique_ptr<Kernel> inner, int threads, Misdeed before, Misdeed after)
      : inner_(std::move(inner)), threads_(threads), before_(std::move(before)), after_(std::move(after)) {}
  void run(const Arguments& arguments) const override {
    if (before_) before_(arguments, threads_);
    inner_->run(arguments);
    if (after_) after_(arguments, threads_);
  }
  [[nodiscard]] std::size_t scratch_bytes() const override { return inner_->scratch_bytes(); }
  [[nodiscard]] std::optional<std::size_t> reusable_input() const override { return inner_->reusable_input(); }
  [[nodiscard]] std::string_view name() const override { return "faulty"; }

 private:
  std::unique_ptr<Kernel> inner_;
  int threads_;
  Misdeed before_;
  Misdeed after_;
};

struct FaultyBackend final : public Backend {
  [[nodiscard]] std::string_view name() const override { return "faulty"; }
  [[nodiscard]] bool supports(const graph::Graph& /*graph*/, const graph::Node& /*node*/) const override { return claims; }
  Result<std::unique_ptr<Kernel>> prepare(const Context& context, const graph::Graph& graph, const graph::Node& node,
                                          bool constant_weights) const override {
    auto inner = make_reference_backend()->prepare(context, graph, node, constant_weights);
    return std::unique_ptr<Kernel>(std::make_unique<FaultyKernel>(std::move(inner).value(), context.threads, before, after));
  }

  Misdeed before;
  Misdeed after;
  bool claims = true;
};

Case activate() { return {"Activate_2x17", graph::Activate{graph::Activation::kSilu}, {{{2, 17}}}}; }

/// The messages of the failures that `body` reports, or "" for none.
std::string failures_of(const std::function<void()>& body) {
  testing::TestPartResultArray results;
  {
    const testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
    body();
  }
  std::string messages;
  for (int i = 0; i < results.size(); ++i) messages += results.GetTestPartResult(i).message();
  return messages;
}

std::string failures(Misdeed before, Misdeed after) {
  FaultyBackend backend;
  backend.before = std::move(before);
  backend.after = std::move(after);
  return failures_of([&] { expect_equal_to_reference(backend, activate()); });
}

bool mentions(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(framework, PassesWhatIsRight) { EXPECT_EQ(failures(nullptr, nullptr), ""); }

TEST(framework, CatchesAnErrorOfAFewRoundings) {
  // The widest tolerance of this op is about 40 unit roundoffs of the value.
  const auto off = [](const Arguments& a, int) { a.outputs[0].f32()[33] *= 1.0F + 0x1p-17F; };
  EXPECT_TRUE(mentions(failures(nullptr, off), "element 33"));
}

TEST(framework, CatchesATailLeftUnwritten) {
  const auto forget = [](const Arguments& a, int) { a.outputs[0].f32()[33] = std::bit_cast<float>(~0U); };
  EXPECT_TRUE(mentions(failures(nullptr, forget), "element 33"));
}

TEST(framework, CatchesWritesBesideMemory) {
  const auto beside = [](const Arguments& a, int) { a.outputs[0].f32()[34] = 0; };
  EXPECT_TRUE(mentions(failures(nullptr, beside), "beside output 0"));
  const auto before = [](const Arguments& a, int) { a.outputs[0].f32()[-1] = 0; };
  EXPECT_TRUE(mentions(failures(nullptr, before), "beside output 0"));
  const auto scratch = [](const Arguments& a, int) { a.scratch[2 * 34 * sizeof(double)] = std::byte{0}; };
  EXPECT_TRUE(mentions(failures(nullptr, scratch), "beside its scratch"));
}

TEST(framework, CatchesAChangedInput) {
  const auto change = [](const Arguments& a, int) { a.inputs[0].f32()[5] += 1; };
  EXPECT_TRUE(mentions(failures(nullptr, change), "changes input 0"));
}

TEST(framework, CatchesBitsThatDependOnThreads) {
  const auto depend = [](const Arguments& a, int threads) {
    if (threads == 3) a.outputs[0].f32()[0] = std::nextafter(a.outputs[0].f32()[0], 9.0F);
  };
  EXPECT_TRUE(mentions(failures(nullptr, depend), "other bits with 3 threads"));
}

TEST(framework, CatchesBitsThatDependOnTheRun) {
  int runs = 0;
  const auto depend = [&runs](const Arguments& a, int) {
    if (++runs == 2) a.outputs[0].f32()[0] = std::nextafter(a.outputs[0].f32()[0], 9.0F);
  };
  EXPECT_TRUE(mentions(failures(nullptr, depend), "differs from run to run"));
}

TEST(framework, CatchesAKernelThatCannotWorkInPlace) {
  const auto clear = [](const Arguments& a, int) { a.outputs[0].f32()[0] = 0; };
  EXPECT_TRUE(mentions(failures(clear, nullptr), "other bits in place"));
}

TEST(framework, CatchesSupportThatIsDenied) {
  FaultyBackend backend;
  backend.claims = false;
  EXPECT_TRUE(mentions(failures_of([&] { expect_equal_to_reference(backend, activate()); }), "declines"));
  EXPECT_TRUE(mentions(failures_of([&] { report_support(backend, {activate()}); }), "Activate_2x17"));
}

/// A gradient that is zero by construction must not look like a success.
TEST(framework, CatchesACaseWithoutGradient) {
  const Case without_gradient{
      "BatchNormTrain_of_one_position", graph::BatchNormTrain{}, {{{1, 3}}, weight({3}), weight({3})}, first_output};
  EXPECT_TRUE(mentions(failures_of([&] { expect_gradient_of_finite_differences(without_gradient); }), "length"));
}

}  // namespace
}  // namespace fovea::contract
