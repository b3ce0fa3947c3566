// SPDX-License-Identifier: Apache-2.0
#include "scale/steady_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "scale/scene.h"

namespace fovea::checkout {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;
using testing::ElementsAre;

const Thing kEmpty{.probabilities = {0.3, 0.3, 0.2, 0.2}, .rejected = true};
const Thing kHand{.item = 99, .probabilities = {0.4, 0.3, 0.2, 0.1}, .hand = true};
Thing banana(int item = 1) { return {.item = item, .probabilities = {0.9, 0.06, 0.03, 0.01}}; }
Thing apple(int item = 2) { return {.item = item, .probabilities = {0.05, 0.85, 0.08, 0.02}}; }
Thing doubtful(int item = 3) { return {.item = item, .probabilities = {0.40, 0.35, 0.15, 0.10}}; }
Thing stapler(int item = 4) { return {.item = item, .probabilities = {0.6, 0.2, 0.1, 0.1}, .rejected = true}; }

std::vector<ScaleState> states(const std::vector<Said>& said) {
  std::vector<ScaleState> list;
  for (const Said& s : said) list.push_back(s.state.state);
  return list;
}

/// An empty scale, a hand that lays something down at 2 s, and takes it away at 5 s.
Thing one_item(Moment now, const Thing& item) {
  if (now < 2000ms) return kEmpty;
  if (now < 2500ms) return kHand;
  if (now < 5000ms) return item;
  if (now < 5400ms) return kHand;
  return kEmpty;
}

class SteadyAnswerTest : public testing::Test {
 protected:
  std::vector<Said> play(Moment end, const Theatre::Scene& scene, const Camera& camera = {}) {
    Theatre theatre(machine, camera);
    return theatre.play(0ms, end, scene);
  }
  SteadyAnswer machine{4};
};

TEST_F(SteadyAnswerTest, AnItemComesAndGoes) {
  const auto said = play(8000ms, [](Moment now) { return one_item(now, banana()); });
  ASSERT_THAT(states(said), ElementsAre(ScaleState::kChanging, ScaleState::kNothing, ScaleState::kChanging, ScaleState::kSure,
                                        ScaleState::kChanging, ScaleState::kNothing));
  const SteadyAnswer::State& sure = said[3].state;
  EXPECT_THAT(sure.top, ElementsAre(0U, 1U, 2U));
  EXPECT_NEAR(sure.probabilities[0], 0.9, 1e-9);
  EXPECT_EQ(sure.id, 1);
  EXPECT_LT(said[3].time - 2500ms, 300ms);
  EXPECT_EQ(said[4].state.id, 0);
  EXPECT_TRUE(said[4].state.top.empty());
  EXPECT_TRUE(machine.certainly_empty());
}

TEST_F(SteadyAnswerTest, NotSureAndNotOneOfMineAreToldApart) {
  EXPECT_EQ(play(4000ms, [](Moment now) { return one_item(now, doubtful()); }).back().state.state, ScaleState::kUnsure);
  machine = SteadyAnswer(4);
  EXPECT_EQ(play(4000ms, [](Moment now) { return one_item(now, stapler()); }).back().state.state, ScaleState::kUnknown);
  EXPECT_EQ(machine.state().top.size(), 3U);
}

TEST_F(SteadyAnswerTest, AnswersComeInTimeWhateverTheCameraAndTheProcessor) {
  // The worst case by count: the picture of the item comes an interval after the item did, and finds the processor busy with an
  // earlier one; it shows a movement, but counts when the next one that is looked at shows the same; both are classified, and as
  // many more as have to agree for 60 ms.
  for (const milliseconds interval : {16ms, 33ms, 50ms, 66ms, 100ms, 200ms}) {
    for (const milliseconds computing : {5ms, 30ms, 80ms, 160ms}) {
      for (const Thing& item : {banana(), doubtful(), stapler()}) {
        machine = SteadyAnswer(4);
        const Camera camera{.interval = interval, .computing = computing};
        const auto said = play(
            4900ms, [&](Moment now) { return one_item(now, item); }, camera);
        ASSERT_NE(machine.state().id, 0) << interval.count() << " " << computing.count();
        const milliseconds cost = computing + camera.looking;
        // From one picture that is looked at to the next, and at least how much later that was taken.
        const milliseconds step = std::max(cost, interval);
        const milliseconds later = step / interval * interval;
        const milliseconds agreeing = (60ms + later - 1ms) / later * step;
        EXPECT_LE(said.back().time - 2500ms, interval + cost + std::max(step, agreeing) + cost)
            << interval.count() << " " << computing.count();
        EXPECT_EQ(said.back().state.id, 1);
      }
    }
  }
}

TEST_F(SteadyAnswerTest, FlickerBetweenTwoKindsIsNotSureAndStaysSo) {
  std::mt19937 random(1);
  const auto said = play(30000ms, [&](Moment now) {
    Thing thing = one_item(std::min<Moment>(now, 4000ms), banana());
    if (thing.item != 1) return thing;
    const bool swap = random() % 2 == 0;
    thing.probabilities = swap ? std::vector{0.75, 0.2, 0.04, 0.01} : std::vector{0.2, 0.75, 0.04, 0.01};
    return thing;
  });
  // Each picture alone would be sure, and they change their mind hundreds of times.
  int answers = 0;
  for (const Said& s : said) answers += s.state.id != 0 ? 1 : 0;
  EXPECT_LE(answers, 20);
  EXPECT_THAT(states(said), testing::Contains(ScaleState::kUnsure));
  for (const Said& s : said) EXPECT_LE(s.state.id, 1);
}

TEST_F(SteadyAnswerTest, ASinglePictureChangesNothing) {
  int count = 0;
  const auto said = play(10000ms, [&](Moment now) {
    Thing thing = one_item(std::min<Moment>(now, 4000ms), banana());
    if (thing.item == 1 && ++count % 20 == 0) thing.probabilities = {0.01, 0.97, 0.01, 0.01};
    return thing;
  });
  EXPECT_THAT(states(said), ElementsAre(ScaleState::kChanging, ScaleState::kNothing, ScaleState::kChanging, ScaleState::kSure));
}

TEST_F(SteadyAnswerTest, AHandThatPassesLeavesTheItemWhatItWas) {
  const auto said = play(8000ms, [](Moment now) {
    if (now >= 4000ms && now < 4600ms) return kHand;
    return one_item(std::min<Moment>(now, 4999ms), banana());
  });
  ASSERT_THAT(states(said), ElementsAre(ScaleState::kChanging, ScaleState::kNothing, ScaleState::kChanging, ScaleState::kSure,
                                        ScaleState::kChanging, ScaleState::kSure));
  EXPECT_EQ(said[3].state.id, said[5].state.id);
}

TEST_F(SteadyAnswerTest, AMovementOfOnePictureIsNone) {
  const auto said = play(8000ms, [](Moment now) {
    Thing thing = one_item(std::min<Moment>(now, 4999ms), banana());
    thing.hand = thing.hand || (now >= 4000ms && now < 4033ms);
    return thing;
  });
  EXPECT_THAT(states(said), ElementsAre(ScaleState::kChanging, ScaleState::kNothing, ScaleState::kChanging, ScaleState::kSure));
}

TEST_F(SteadyAnswerTest, AHandAboveAnEmptyScaleIsNoItem) {
  const auto said = play(6000ms, [](Moment now) { return now >= 2000ms && now < 4000ms ? kHand : kEmpty; });
  EXPECT_THAT(states(said),
              ElementsAre(ScaleState::kChanging, ScaleState::kNothing, ScaleState::kChanging, ScaleState::kNothing));
}

TEST_F(SteadyAnswerTest, AnItemPutOnAnotherIsAnotherItem) {
  const auto said = play(9000ms, [](Moment now) {
    if (now >= 4000ms && now < 4500ms) return kHand;
    if (now >= 4500ms) return apple();
    return one_item(now, banana());
  });
  ASSERT_THAT(states(said), ElementsAre(ScaleState::kChanging, ScaleState::kNothing, ScaleState::kChanging, ScaleState::kSure,
                                        ScaleState::kChanging, ScaleState::kSure));
  EXPECT_EQ(said[3].state.top[0], 0U);
  EXPECT_EQ(said[5].state.top[0], 1U);
  EXPECT_EQ(said[5].state.id, 2);
}

TEST_F(SteadyAnswerTest, ItemsExchangedBetweenTwoPicturesAreTwo) {
  const Camera slow{.interval = 500ms};
  const auto said = play(
      12000ms, [](Moment now) { return now < 1000ms   ? kEmpty
                                       : now < 6000ms ? banana()
                                                      : apple(); }, slow);
  EXPECT_EQ(said.back().state.state, ScaleState::kSure);
  EXPECT_EQ(said.back().state.top[0], 1U);
  EXPECT_EQ(said.back().state.id, 2);
}

TEST_F(SteadyAnswerTest, TheSameKindAgainIsAnotherItem) {
  const auto said = play(10000ms, [](Moment now) {
    return now < 5500ms ? one_item(now, banana(1)) : now < 6000ms ? kEmpty : now < 6500ms ? kHand : banana(1);
  });
  EXPECT_EQ(said.back().state.state, ScaleState::kSure);
  EXPECT_EQ(said.back().state.id, 2);
}

TEST_F(SteadyAnswerTest, ALostCameraIsSaidAndFoundAgain) {
  const auto said = play(12000ms, [](Moment now) {
    Thing thing = one_item(std::min<Moment>(now, 4000ms), banana());
    thing.dark = now >= 5000ms && now < 9000ms;
    return thing;
  });
  ASSERT_THAT(states(said), ElementsAre(ScaleState::kChanging, ScaleState::kNothing, ScaleState::kChanging, ScaleState::kSure,
                                        ScaleState::kNoPicture, ScaleState::kChanging, ScaleState::kSure));
  EXPECT_NEAR(static_cast<double>((said[4].time - 5000ms).count()), 2000, 40);
  EXPECT_EQ(said.back().state.id, 1);  // it looks as it did
}

TEST_F(SteadyAnswerTest, AShortDropOutIsPassedOver) {
  const auto said = play(9000ms, [](Moment now) {
    Thing thing = one_item(std::min<Moment>(now, 4000ms), banana());
    thing.dark = now >= 5000ms && now < 6500ms;
    return thing;
  });
  EXPECT_THAT(states(said), ElementsAre(ScaleState::kChanging, ScaleState::kNothing, ScaleState::kChanging, ScaleState::kSure));
}

TEST_F(SteadyAnswerTest, WithoutAnyPictureNothingIsClaimed) {
  const auto said = play(5000ms, [](Moment) { return Thing{.dark = true}; });
  EXPECT_TRUE(said.empty());
  EXPECT_EQ(machine.state().state, ScaleState::kNoPicture);
}

TEST_F(SteadyAnswerTest, WithoutAnEmptyViewTheModelsOwnClassTells) {
  machine = SteadyAnswer(4, 3);
  const Camera blank{.knows_empty = false};
  const auto said = play(
      8000ms,
      [](Moment now) {
        Thing thing = one_item(now, banana());
        if (thing.item == 0) thing.probabilities = {0.05, 0.03, 0.02, 0.9};
        return thing;
      },
      blank);
  ASSERT_THAT(states(said), ElementsAre(ScaleState::kChanging, ScaleState::kNothing, ScaleState::kChanging, ScaleState::kSure,
                                        ScaleState::kChanging, ScaleState::kNothing));
  for (const Said& s : said) EXPECT_THAT(s.state.top, testing::Not(testing::Contains(3U)));  // no button says "nothing"
}

TEST_F(SteadyAnswerTest, AnUnsureAnswerBecomesSureAndNotBack) {
  // The truth wanders between the two thresholds once it is sure.
  const auto said = play(12000ms, [](Moment now) {
    Thing thing = one_item(std::min<Moment>(now, 4000ms), banana());
    if (thing.item != 1) return thing;
    const double p = now < 4000ms ? 0.6 : now < 6000ms ? 0.9 : 0.62 + 0.1 * std::sin(static_cast<double>(now.count()) / 300);
    thing.probabilities = {p, 1 - p, 0, 0};
    return thing;
  });
  ASSERT_THAT(states(said), ElementsAre(ScaleState::kChanging, ScaleState::kNothing, ScaleState::kChanging, ScaleState::kUnsure,
                                        ScaleState::kSure));
  EXPECT_EQ(said[3].state.id, said[4].state.id);
}

class WeighedTest : public SteadyAnswerTest {
 protected:
  std::vector<Said> play(Moment end, const Theatre::Scene& scene, const Theatre::Weigh& weigh, const Camera& camera = {}) {
    Theatre theatre(machine, camera);
    theatre.weigh = weigh;
    return theatre.play(0ms, end, scene);
  }
  /// A scale that reads ten times a second, `late` behind, and is stable half a second after a change.
  static Theatre::Weigh readings(Moment late) {
    return [late](Moment now, SteadyAnswer& m) {
      if (now.count() % 100 != 0) return;
      const Moment then = now - late;
      const bool heavy = then >= 2400ms && then < 5300ms;
      const bool settling = (then >= 2400ms && then < 2900ms) || (then >= 5300ms && then < 5800ms);
      m.weigh(now, {heavy ? 250.0 : 0.4, !settling});
    };
  }
};

TEST_F(WeighedTest, TheWeightComesWithTheAnswerAndAgainWhenItIsStable) {
  const auto said = play(
      8000ms, [](Moment now) { return one_item(now, banana()); }, readings(0ms));
  // Until the weight has risen the scale is empty, whatever moves above it.
  ASSERT_THAT(states(said), ElementsAre(ScaleState::kNothing, ScaleState::kChanging, ScaleState::kSure, ScaleState::kSure,
                                        ScaleState::kChanging, ScaleState::kNothing));
  EXPECT_FALSE(said[2].state.weight->stable);
  EXPECT_TRUE(said[3].state.weight->stable);
  EXPECT_EQ(said[3].state.weight->grams, 250);
  EXPECT_EQ(said[3].state.id, said[2].state.id);
}

TEST_F(WeighedTest, ALateWeightHoldsTheAnswerBackButDoesNotChangeIt) {
  const auto said = play(
      8000ms, [](Moment now) { return one_item(now, banana()); }, readings(800ms));
  const auto sure = std::ranges::find(said, ScaleState::kSure, [](const Said& s) { return s.state.state; });
  ASSERT_NE(sure, said.end());
  EXPECT_LT(sure->time, 2400ms + 800ms + 300ms);
  EXPECT_EQ(machine.state().state, ScaleState::kNothing);
  for (const Said& s : said) EXPECT_LE(s.state.id, 1);
}

TEST_F(WeighedTest, AScaleThatFallsSilentLeavesTheCameraToDecide) {
  const auto said = play(
      8000ms, [](Moment now) { return one_item(now, banana()); },
      [](Moment now, SteadyAnswer& m) {
        if (now < 1000ms) m.weigh(now, {0, true});
      });
  EXPECT_THAT(states(said), testing::Contains(ScaleState::kSure));
  EXPECT_EQ(machine.state().state, ScaleState::kNothing);
  EXPECT_FALSE(machine.state().weight);
}

TEST_F(WeighedTest, AWeightThatDoesNotFitTellsItemsApartThatLookAlike) {
  const auto scene = [](Moment now) {
    return now >= 4000ms && now < 4500ms ? kHand : one_item(std::min<Moment>(now, 4999ms), banana());
  };
  const auto weigh = [](double after) {
    return [after](Moment now, SteadyAnswer& m) {
      if (now.count() % 100 == 0) m.weigh(now, {now < 2400ms ? 0.0 : now < 4200ms ? 250.0 : after, true});
    };
  };
  EXPECT_EQ(play(7000ms, scene, weigh(251)).back().state.id, 1);
  machine = SteadyAnswer(4);
  EXPECT_EQ(play(7000ms, scene, weigh(310)).back().state.id, 2);
}

TEST_F(WeighedTest, SomethingHeavyThatLooksLikeTheEmptyScaleIsNotNothing) {
  // A glass plate: the view says empty, the weight does not.
  const auto said = play(
      6000ms, [](Moment) { return kEmpty; },
      [](Moment now, SteadyAnswer& m) {
        if (now.count() % 100 == 0) m.weigh(now, {400, true});
      });
  EXPECT_EQ(said.back().state.state, ScaleState::kUnknown);
}

TEST_F(SteadyAnswerTest, AnythingThatCanBeSeenLeavesItInASaneState) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> share(0, 1);
  SteadyAnswer any(5, 4);
  Moment now{0};
  std::int64_t id = 0;
  for (int i = 0; i < 20000; ++i) {
    now += Moment(random() % 8 == 0 ? random() % 3000 : random() % 60);
    if (random() % 5 == 0) any.weigh(now, {share(random) * 20 - 2, random() % 2 == 0});
    const bool still = random() % 4 != 0;
    if (any.see({now, still ? 0.001 : share(random), share(random),
                 random() % 3 == 0 ? std::nullopt : std::optional(share(random) * 0.02)})) {
      std::vector<double> p(5);
      for (double& value : p) value = share(random);
      any.judge(now + Moment(random() % 90), p, random() % 3 == 0);
    }
    const SteadyAnswer::State& state = any.state();
    const bool answer =
        state.state == ScaleState::kSure || state.state == ScaleState::kUnsure || state.state == ScaleState::kUnknown;
    ASSERT_EQ(answer, state.id != 0);
    ASSERT_EQ(state.top.size(), answer ? 3U : 0U);
    ASSERT_EQ(state.probabilities.size(), state.top.size());
    if (state.id != 0) {
      ASSERT_GE(state.id, id);
      id = state.id;
    }
  }
  EXPECT_GT(id, 50);
}

}  // namespace
}  // namespace fovea::checkout
