// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>

#include "contract/modes.h"
#include "contract/run.h"

namespace fovea::contract {
namespace {

using Exact = std::vector<reference::Rounded>;

constexpr double kUnitRoundoff = 0x1p-24;
// The error analysis follows one order of summation and one algebraic form; a kernel may choose another.
constexpr double kSafety = 4;
// A tolerance wider than this share of the answer would pass wrong answers: the case itself is then no good.
constexpr double kWidest = 1e-2;

double tolerance(const reference::Rounded& exact) {
  return kSafety * kUnitRoundoff * (exact.error + std::abs(exact.value)) + static_cast<double>(FLT_MIN);
}

double norm(const Exact& values, double (*of)(const reference::Rounded&)) {
  double squares = 0;
  for (const auto& value : values) squares += of(value) * of(value);
  return std::sqrt(squares);
}

void expect_sharp(const Exact& exact) {
  const double size = norm(exact, [](const reference::Rounded& r) { return r.value; });
  if (size > 0) {
    EXPECT_LE(norm(exact, tolerance), kWidest * size) << "the tolerance of this case proves nothing";
  }
}

void expect_within(const Floats& got, const Exact& exact, std::size_t output) {
  ASSERT_EQ(got.size(), exact.size());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = std::abs(static_cast<double>(got[i]) - exact[i].value);
    if (error <= tolerance(exact[i])) continue;  // a NaN is not
    if (wrong++ == 0) {
      ADD_FAILURE() << "output " << output << ", element " << i << ": " << got[i] << " for " << exact[i].value << " +- "
                    << tolerance(exact[i]);
    }
  }
  EXPECT_EQ(wrong, 0U) << "of " << got.size() << " elements of output " << output;
}

Context context(int threads, bool deterministic) {
  Context made;
  made.threads = threads;
  made.deterministic = deterministic;
  return made;
}

}  // namespace

void expect_equal_to_reference(const Backend& backend, const Case& source) {
  const Subject subject(source);
  if (!backend.supports(subject.graph, subject.node())) GTEST_SKIP() << backend.name() << " declines it";
  const auto exact = expected(subject);
  for (const Exact& output : exact) expect_sharp(output);
  for (const bool constant_weights : {false, true}) {
    SCOPED_TRACE(constant_weights ? "with constant weights" : "with changing weights");
    const auto serial = run(backend, subject, {context(1, true), constant_weights});
    ASSERT_EQ(serial.size(), exact.size());
    for (std::size_t i = 0; i < exact.size(); ++i) expect_within(serial[i], exact[i], i);
    for (const int threads : {2, 3, 8}) {
      EXPECT_EQ(run(backend, subject, {context(threads, true), constant_weights}), serial)
          << "deterministic, but other bits with " << threads << " threads";
    }
    EXPECT_EQ(run(backend, subject, {context(1, true), constant_weights, true}), serial) << "other bits in place";
    const auto parallel = run(backend, subject, {context(3, false), constant_weights});
    for (std::size_t i = 0; i < exact.size(); ++i) expect_within(parallel[i], exact[i], i);
    EXPECT_EQ(run(backend, subject, {context(3, false), constant_weights, true}), parallel) << "other bits when prepared anew";
  }
}

void expect_same_bits(const Backend& one, const Backend& other, const Case& source) {
  const Subject subject(source);
  if (!one.supports(subject.graph, subject.node())) GTEST_SKIP() << one.name() << " declines it";
  EXPECT_EQ(run(one, subject, {context(1, true)}), run(other, subject, {context(1, true)}));
}

void report_support(const Backend& backend, const std::vector<Case>& cases) {
  std::size_t supported = 0;
  for (const Case& source : cases) {
    const Subject subject(source);
    const bool claimed = backend.supports(subject.graph, subject.node());
    supported += claimed ? 1 : 0;
    const auto kernel = backend.prepare(context(1, false), subject.graph, subject.node(), false);
    EXPECT_EQ(kernel.ok(), claimed) << source.name;
    if (!kernel) {
      EXPECT_EQ(kernel.error().kind, Error::Kind::kUnsupported) << source.name;
    }
    if (!claimed) fmt::print("{} declines {}\n", backend.name(), source.name);
  }
  fmt::print("{} supports {} of {} cases\n", backend.name(), supported, cases.size());
}

}  // namespace fovea::contract
