// SPDX-License-Identifier: Apache-2.0
#include "core/vector_target.h"

#include <gtest/gtest.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/vector_target_test.cpp"
#include "hwy/foreach_target.h"
// Highway wants its own header after the line above.
#include "core/vector_versions.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::HWY_NAMESPACE {
std::int64_t bit_of_version() { return HWY_TARGET; }
}  // namespace fovea::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea {
namespace {

FOVEA_VERSIONS(bit_of_version);

TEST(VectorTarget, ThoseOfThisProcessorAreWhatHighwaysLibraryFinds) {
  std::int64_t bits = 0;
  for (const VectorTarget& target : VectorTarget::usable()) bits |= target.bit();
  EXPECT_EQ(bits, HWY_SUPPORTED_TARGETS & HWY_TARGETS);
}

TEST(VectorTarget, TheBestIsFirst) {
  // Better targets have lower bits.
  for (const VectorTarget& target : VectorTarget::usable()) EXPECT_GE(target.bit(), VectorTarget::best().bit());
}

TEST(VectorTarget, HasTheVersionThatWasCompiledForIt) {
  for (const VectorTarget& target : VectorTarget::usable()) {
    ASSERT_NE(FOVEA_VERSION(bit_of_version, target), nullptr) << target.name();
    EXPECT_EQ(FOVEA_VERSION(bit_of_version, target)(), target.bit()) << target.name();
  }
}

TEST(VectorTarget, AreNamed) {
  for (const VectorTarget& target : VectorTarget::usable()) EXPECT_NE(target.name(), "other") << target.bit();
}

}  // namespace
}  // namespace fovea
#endif
