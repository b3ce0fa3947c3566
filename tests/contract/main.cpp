// Fovea: makes a test of every case, mode and available backend.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "backend/registry.h"
#include "contract/case.h"
#include "contract/modes.h"
#include "cuda_host/host_backend.h"

namespace fovea::contract {
namespace {

class FunctionTest : public testing::Test {
 public:
  explicit FunctionTest(std::function<void()> body) : body_(std::move(body)) {}
  void TestBody() override { body_(); }

 private:
  std::function<void()> body_;
};

void add_test(std::string_view suite, const std::string& name, std::function<void()> body) {
  testing::RegisterTest(std::string(suite).c_str(), name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                        [body = std::move(body)]() -> testing::Test* { return new FunctionTest(body); });
}

void add_suite(const Suite& suite, std::span<const std::shared_ptr<Backend>> backends) {
  const std::vector<Case> cases = suite.test_cases();
  for (const auto& backend : backends) {
    add_test(suite.name(), fmt::format("{}/support", backend->name()), [=] { report_support(*backend, cases); });
    for (const Case& source : cases) {
      add_test(suite.name(), fmt::format("{}/equal/{}", backend->name(), source.name),
               [=] { expect_equal_to_reference(*backend, source); });
    }
  }
  for (const Case& source : cases) {
    if (!source.differentiable) continue;
    add_test(suite.name(), fmt::format("gradient/{}", source.name), [=] { expect_gradient_of_finite_differences(source); });
  }
}

/// The same kernels, their indices taken in other orders.
void add_orders(const Suite& suite) {
  using Order = CUstream_st::Order;
  for (const auto& [name, order] : {std::pair{"backward", Order::kBackward}, std::pair{"scattered", Order::kScattered}}) {
    for (const Case& source : suite.test_cases()) {
      add_test(suite.name(), fmt::format("cuda-host/{}/{}", name, source.name), [=] {
        expect_same_bits(*test::make_cuda_host_backend(), *test::make_cuda_host_backend({.order = order}), source);
      });
    }
  }
}

/// A backend that is not there is one skipped test that says why.
std::vector<std::shared_ptr<Backend>> available_backends() {
  std::vector<std::shared_ptr<Backend>> found;
  for (const std::string_view name : backend_names()) {
    auto made = make_backend(name);
    const std::string reason = made ? "" : made.error().message;
    add_test("backends", std::string(name), [reason] {
      if (!reason.empty()) GTEST_SKIP() << reason;
    });
    if (made) found.push_back(std::move(made).value());
  }
  found.push_back(test::make_cuda_host_backend());
  return found;
}

}  // namespace
}  // namespace fovea::contract

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const auto backends = fovea::contract::available_backends();
  for (const auto* suite : fovea::contract::Suite::all()) {
    fovea::contract::add_suite(*suite, backends);
    fovea::contract::add_orders(*suite);
  }
  return RUN_ALL_TESTS();
}
