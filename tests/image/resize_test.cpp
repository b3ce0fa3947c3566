// SPDX-License-Identifier: Apache-2.0
#include "image/resize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/file.h"
#include "core/rng.h"
#include "support/paths.h"

namespace fovea {
namespace {

// Reads the fields of resize_goldens.bin in order; layout in tools/make_resize_goldens.py.
class GoldenReader {
 public:
  explicit GoldenReader(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}
  template <class T>
  T next() {
    T value{};
    std::memcpy(&value, take(sizeof value), sizeof value);
    return value;
  }
  Image image(int width, int height) {
    Image out(width, height);
    std::memcpy(out.pixels.data(), take(out.pixels.size()), out.pixels.size());
    return out;
  }
  [[nodiscard]] bool done() const { return at_ == bytes_.size(); }

 private:
  const std::byte* take(std::size_t count) {
    if (bytes_.size() - at_ < count) throw std::runtime_error("resize_goldens.bin is too short");
    return bytes_.data() + std::exchange(at_, at_ + count);
  }
  std::vector<std::byte> bytes_;
  std::size_t at_ = 0;
};

struct Golden {
  const Image* source = nullptr;
  Filter filter = Filter::kBilinear;
  Box box;
  Image expected;
};

class ResizeGolden : public testing::Test {
 protected:
  void SetUp() override {
    auto file = read_file(test::test_data("image/data/resize_goldens.bin"), std::size_t{1} << 20);
    ASSERT_TRUE(file.ok()) << file.error().message;
    GoldenReader reader(std::move(file).value());
    sources_.resize(static_cast<std::size_t>(reader.next<std::int32_t>()));
    for (Image& source : sources_) {
      const auto width = reader.next<std::int32_t>();
      source = reader.image(width, reader.next<std::int32_t>());
    }
    cases_.resize(static_cast<std::size_t>(reader.next<std::int32_t>()));
    for (Golden& golden : cases_) {
      golden.source = &sources_.at(static_cast<std::size_t>(reader.next<std::int32_t>()));
      const auto width = reader.next<std::int32_t>();
      const auto height = reader.next<std::int32_t>();
      golden.filter = reader.next<std::int32_t>() == 0 ? Filter::kBilinear : Filter::kBicubic;
      golden.box = reader.next<Box>();
      golden.expected = reader.image(width, height);
    }
    ASSERT_TRUE(reader.done());
    ASSERT_GT(cases_.size(), 50U);
  }
  std::vector<Image> sources_;
  std::vector<Golden> cases_;
};

testing::Message describe(const Golden& golden) {
  return testing::Message() << golden.source->width << "x" << golden.source->height << " to " << golden.expected.width << "x"
                            << golden.expected.height << (golden.filter == Filter::kBilinear ? " bilinear" : " bicubic")
                            << ", box " << golden.box.left << " " << golden.box.top << " " << golden.box.right << " "
                            << golden.box.bottom;
}

TEST_F(ResizeGolden, EveryPixelIsPillows) {
  for (const Golden& golden : cases_) {
    const Image out = resize(*golden.source, golden.expected.width, golden.expected.height, golden.filter, golden.box);
    EXPECT_EQ(out.pixels, golden.expected.pixels) << describe(golden);
  }
}

TEST_F(ResizeGolden, EveryInstructionSetGivesTheSamePixels) {
  for (const VectorTarget& target : VectorTarget::usable()) {
    for (const Golden& golden : cases_) {
      const int width = golden.expected.width, height = golden.expected.height;
      const Image out = resize(*golden.source, width, height, golden.filter, golden.box, {0, 0, width, height}, target);
      EXPECT_EQ(out.pixels, golden.expected.pixels) << target.name() << " " << describe(golden);
    }
  }
}

TEST_F(ResizeGolden, AWindowIsThatPartOfTheWhole) {
  Rng rng(3, 0, 0);
  for (const Golden& golden : cases_) {
    const Image& all = golden.expected;
    const int left = static_cast<int>(rng.below(static_cast<std::uint32_t>(all.width)));
    const int top = static_cast<int>(rng.below(static_cast<std::uint32_t>(all.height)));
    const Window window{left, top, all.width - left - (all.width - left) / 3, all.height - top - (all.height - top) / 4};
    const Image part = resize(*golden.source, all.width, all.height, golden.filter, golden.box, window);
    ASSERT_EQ(part.width, window.width);
    ASSERT_EQ(part.height, window.height);
    for (int y = 0; y < part.height; ++y) {
      EXPECT_TRUE(std::equal(part.row(y), part.row(y) + part.width * 3, all.row(top + y) + left * 3))
          << describe(golden) << " row " << y;
    }
  }
}

TEST(Resize, AFlatPictureStaysFlat) {
  Image flat(123, 77);
  std::ranges::fill(flat.pixels, std::uint8_t{201});
  for (const Filter filter : {Filter::kBilinear, Filter::kBicubic}) {
    for (const int size : {1, 2, 50, 76, 124, 300}) {
      const Image out = resize(flat, size, size, filter);
      EXPECT_TRUE(std::ranges::all_of(out.pixels, [](std::uint8_t v) { return v == 201; })) << size;
    }
  }
}

}  // namespace
}  // namespace fovea
