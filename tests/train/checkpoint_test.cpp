// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <limits>

#include "data/photos.h"

namespace fovea::training {
namespace {

namespace fs = std::filesystem;

const Checkpoint::Identity kIdentity{{"lr", "0.001"}, {"photos", "12"}};

class CheckpointFolder : public testing::Test {
 protected:
  Checkpoint open(bool resume, const Checkpoint::Identity& identity = kIdentity) {
    auto checkpoint = Checkpoint::open(folder_ / "checkpoint", identity, {.interval_s = 0, .resume = resume});
    EXPECT_TRUE(checkpoint.ok()) << checkpoint.error().message;
    return std::move(*checkpoint);
  }
  void keep_numbers() {
    Checkpoint checkpoint = open(false);
    const std::vector<StoredTensor> tensors{stored("values", values_), stored("none", std::span<const float>()),
                                            stored("labels", labels_)};
    ASSERT_TRUE(checkpoint.keep("part", tensors, "{\"epoch\":3}").ok());
  }
  test::TemporaryFolder folder_;
  std::vector<float> values_{1.5F, std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()};
  std::vector<std::int32_t> labels_{2, 0, 1};
};

TEST_F(CheckpointFolder, GivesBackEveryBit) {
  keep_numbers();
  const Checkpoint checkpoint = open(true);
  EXPECT_TRUE(checkpoint.resumed());
  const auto saved = checkpoint.recall("part");
  ASSERT_TRUE(saved.ok() && *saved);
  EXPECT_EQ((*saved)->state, "{\"epoch\":3}");
  const auto values = restored<float>((*saved)->tensors, "values");
  ASSERT_TRUE(values.ok());
  ASSERT_EQ(values->size(), values_.size());
  EXPECT_EQ(std::memcmp(values->data(), values_.data(), values_.size() * sizeof(float)), 0);
  EXPECT_EQ(*restored<std::int32_t>((*saved)->tensors, "labels"), labels_);
  EXPECT_TRUE(restored<float>((*saved)->tensors, "none")->empty());
}

TEST_F(CheckpointFolder, RecallsNothingThatWasNotKept) {
  keep_numbers();
  const auto saved = open(true).recall("another");
  ASSERT_TRUE(saved.ok());
  EXPECT_FALSE(*saved);
}

TEST_F(CheckpointFolder, AnotherRunIsRefusedByNameAndBothValues) {
  keep_numbers();
  const auto checkpoint =
      Checkpoint::open(folder_ / "checkpoint", {{"lr", "0.002"}, {"photos", "12"}}, {.interval_s = 0, .resume = true});
  ASSERT_FALSE(checkpoint.ok());
  EXPECT_EQ(checkpoint.error().kind, Error::Kind::kUsage);
  EXPECT_NE(checkpoint.error().message.find("lr '0.001', this one has '0.002'"), std::string::npos) << checkpoint.error().message;
}

TEST_F(CheckpointFolder, StartingAnewPutsTheOldAside) {
  keep_numbers();
  const Checkpoint anew = open(false);
  EXPECT_FALSE(anew.resumed());
  EXPECT_FALSE(*anew.recall("part"));
  EXPECT_TRUE(fs::exists(folder_ / "checkpoint.old" / "part.safetensors"));
}

TEST_F(CheckpointFolder, ADamagedFileIsRefusedByItsName) {
  keep_numbers();
  const fs::path file = folder_ / "checkpoint" / "part.safetensors";
  {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(-1, std::ios::end);
    bytes.put('\x55');
  }
  const auto saved = open(true).recall("part");
  ASSERT_FALSE(saved.ok());
  EXPECT_EQ(saved.error().kind, Error::Kind::kFormat);
  EXPECT_NE(saved.error().message.find("part.safetensors"), std::string::npos) << saved.error().message;
}

TEST_F(CheckpointFolder, RestoringIntoAnotherSizeIsRefused) {
  keep_numbers();
  const auto saved = open(true).recall("part");
  std::vector<float> four(4);
  EXPECT_FALSE(restore((*saved)->tensors, "values", std::as_writable_bytes(std::span(four))).ok());
  EXPECT_FALSE(restore((*saved)->tensors, "absent", {}).ok());
}

}  // namespace
}  // namespace fovea::training
