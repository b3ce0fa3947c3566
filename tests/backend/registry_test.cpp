// SPDX-License-Identifier: Apache-2.0
#include "backend/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <string>

namespace fovea {
namespace {

using testing::HasSubstr;

TEST(Registry, GivesEveryBackendItNamesOrSaysWhyNot) {
  EXPECT_THAT(backend_names(), testing::Contains("reference"));
  EXPECT_THAT(backend_names(), testing::Contains("cuda"));
  for (const std::string_view name : backend_names()) {
    const auto backend = make_backend(name);
    if (backend) {
      EXPECT_EQ((*backend)->name(), name);
    } else {
      EXPECT_EQ(backend.error().kind, Error::Kind::kUnsupported);
      std::string message = backend.error().message;  // "... has no CUDA backend"
      std::ranges::transform(message, message.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      EXPECT_THAT(message, HasSubstr(name));
    }
  }
}

TEST(Registry, AnUnknownNameGetsTheNamesThereAre) {
  const auto backend = make_backend("tpu\n");
  ASSERT_FALSE(backend);
  EXPECT_EQ(backend.error().kind, Error::Kind::kUsage);
  EXPECT_THAT(backend.error().message, HasSubstr("reference"));
  EXPECT_EQ(backend.error().message.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace fovea
