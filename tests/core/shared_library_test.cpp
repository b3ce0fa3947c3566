// SPDX-License-Identifier: Apache-2.0
#include "core/shared_library.h"

#include <gmock/gmock.h>

namespace fovea {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(SharedLibrary, FunctionsAreFoundByTheirNames) {
  const auto library = SharedLibrary::open("libm.so.6");
  ASSERT_TRUE(library.ok()) << library.error().message;
  EXPECT_EQ(library->file(), "libm.so.6");
  const auto floor = library->find<double(double)>("floor");
  ASSERT_NE(floor, nullptr);
  EXPECT_EQ(floor(2.5), 2.0);
  EXPECT_EQ(library->find<double(double)>("floor_of_nothing"), nullptr);
}

TEST(SharedLibrary, TheFirstThatThereIsIsOpened) {
  const std::string files[] = {"libthat-is-nowhere.so.1", "libm.so.6", "libthat-is-nowhere.so.2"};
  const auto library = SharedLibrary::open_first(files);
  ASSERT_TRUE(library.ok()) << library.error().message;
  EXPECT_EQ(library->file(), "libm.so.6");
}

TEST(SharedLibrary, WhatIsMissingIsNamedWithTheSystemsReason) {
  const std::string files[] = {"libthat-is-nowhere.so.1", "libthat-is-nowhere.so.2"};
  const auto library = SharedLibrary::open_first(files);
  ASSERT_FALSE(library.ok());
  EXPECT_EQ(library.error().kind, Error::Kind::kUnsupported);
  EXPECT_THAT(library.error().message,
              AllOf(HasSubstr("libthat-is-nowhere.so.2: cannot be opened: "), HasSubstr("No such file")));
}

TEST(FunctionFinder, TheFirstMissingFunctionIsNamed) {
  const auto library = SharedLibrary::open("libm.so.6");
  ASSERT_TRUE(library.ok()) << library.error().message;
  FunctionFinder find(*library);
  double (*floor)(double) = nullptr;
  double (*none)(double) = floor;
  find(floor, "floor");
  EXPECT_TRUE(find.found_all("every libm has").ok());
  find(none, "first_of_nothing");
  find(none, "second_of_nothing");
  EXPECT_NE(floor, nullptr);
  EXPECT_EQ(none, nullptr);
  const auto found = find.found_all("no libm has");
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().kind, Error::Kind::kUnsupported);
  EXPECT_EQ(found.error().message, "libm.so.6: it has no function first_of_nothing, which no libm has");
}

}  // namespace
}  // namespace fovea
