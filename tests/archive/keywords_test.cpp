// SPDX-License-Identifier: Apache-2.0
#include "archive/keywords.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fovea::archive {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Answer kOneClass{{{"cloudy", 0.6}, {"clear", 0.4}}, {}, false};
const Answer kTwoLabels{{{"sun", 0.9}, {"sea", 0.3}, {"snow", 0.2}}, {{"sun", 0.9}, {"sea", 0.3}}, false};

Wording wording(std::optional<double> least = std::nullopt, bool multi_label = false) {
  return {"weather", {}, least, multi_label};
}

TEST(WordsFor, TheMostProbableClassFromOneHalfOn) {
  EXPECT_THAT(words_for(kOneClass, wording()).shown, ElementsAre("cloudy"));
  EXPECT_THAT(words_for(kOneClass, wording()).fields.hierarchical, ElementsAre("Fovea|weather|cloudy"));
  EXPECT_THAT(words_for({{{"cloudy", 0.49}}, {}, false}, wording()).shown, IsEmpty());
  EXPECT_THAT(words_for(kOneClass, wording(0.7)).shown, IsEmpty());
}

TEST(WordsFor, OfAnyNumberOfLabelsAllThatThePhotoShows) {
  EXPECT_THAT(words_for(kTwoLabels, wording({}, true)).shown, ElementsAre("sun", "sea"));
  EXPECT_THAT(words_for(kTwoLabels, wording({}, true)).fields.subject, ElementsAre("sun", "sea"));
  EXPECT_THAT(words_for(kTwoLabels, wording(0.5, true)).shown, ElementsAre("sun"));
  EXPECT_THAT(words_for({{{"sun", 0.9}}, {}, false}, wording({}, true)).shown, IsEmpty());
}

TEST(WordsFor, ARejectedPhotoGivesNone) {
  EXPECT_THAT(words_for({{{"cloudy", 1}}, {}, true}, wording()).shown, IsEmpty());
  EXPECT_THAT(words_for({{{"sun", 1}}, {{"sun", 1}}, true}, wording({}, true)).shown, IsEmpty());
}

}  // namespace
}  // namespace fovea::archive
