// Many photos at once get the answers that each alone gets, in their order.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "core/error.h"
#include "fovea/classifier.h"
#include "image/encode.h"
#include "predict/in_order.h"
#include "support/paths.h"
#include "train/tiny_data.h"

namespace fovea::test {
namespace {

class Many : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    trained_ = new TemporaryFolder;
    const auto model = train(prepare_tiny_run(*trained_));
    ASSERT_TRUE(model.ok()) << model.error().message;
  }
  static void TearDownTestSuite() { delete trained_; }

  static Result<std::vector<std::byte>> photo(std::size_t i) {
    if (i == kBroken) return fail(Error::Kind::kIo, "photo {} is gone", i);
    return encode_jpeg(coloured_photo(static_cast<int>(i % 3), static_cast<std::uint32_t>(i)), 90);
  }
  static Classifier classifier(int threads) {
    return *Classifier::open(*trained_ / "model.safetensors", {.device = "cpu", .threads = threads});
  }

  static constexpr std::size_t kBroken = 4;
  static TemporaryFolder* trained_;
};
TemporaryFolder* Many::trained_ = nullptr;

TEST_F(Many, EachGetsItsOwnAnswerInOrder) {
  constexpr std::size_t kCount = 23;
  std::vector<std::vector<Prediction>> first;
  for (const int threads : {1, 2, 5}) {
    Classifier many = classifier(threads);
    std::vector<std::vector<Prediction>> answers;
    many.classify_each(kCount, photo, [&](std::size_t i, const Result<Answer>& answer) {
      EXPECT_EQ(i, answers.size());
      EXPECT_EQ(answer.ok(), i != kBroken);
      answers.push_back(answer ? answer->predictions : std::vector<Prediction>{});
      return true;
    });
    ASSERT_EQ(answers.size(), kCount);
    if (first.empty()) first = answers;
    for (std::size_t i = 0; i < kCount; ++i) {
      for (std::size_t k = 0; k < answers[i].size(); ++k) {  // the same bits, whatever the number of threads
        EXPECT_EQ(answers[i][k].label, first[i][k].label);
        EXPECT_EQ(answers[i][k].probability, first[i][k].probability);
      }
      if (i == kBroken) continue;
      const auto alone = many.classify(*photo(i));
      ASSERT_TRUE(alone.ok());
      EXPECT_EQ(alone->top().label, answers[i][0].label);
      EXPECT_NEAR(alone->top().probability, answers[i][0].probability, 1e-5);
    }
  }
}

TEST_F(Many, NoMoreAreAskedForOnceNoMoreAreWanted) {
  Classifier many = classifier(2);
  std::atomic<int> read = 0;
  std::size_t answered = 0;
  many.classify_each(
      500,
      [&](std::size_t i) {
        ++read;
        return photo(i);
      },
      [&](std::size_t, const Result<Answer>&) { return ++answered < 7; });
  EXPECT_EQ(answered, 7U);
  EXPECT_LT(read, 100);
}

TEST(InOrder, WaitsForTheOneThatIsDue) {
  std::vector<std::size_t> told;
  const Classifier::OnAnswer on_answer = [&](std::size_t i, const Result<Answer>&) {
    told.push_back(i);
    return i != 3;
  };
  InOrder answers(on_answer);
  answers.put(1, Answer{});
  answers.put(2, Answer{});
  EXPECT_TRUE(told.empty());
  answers.put(0, Answer{});
  EXPECT_EQ(told, (std::vector<std::size_t>{0, 1, 2}));
  answers.put(4, Answer{});
  answers.put(3, Answer{});
  EXPECT_EQ(told, (std::vector<std::size_t>{0, 1, 2, 3}));
  EXPECT_TRUE(answers.ended());
}

}  // namespace
}  // namespace fovea::test
