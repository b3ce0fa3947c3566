// SPDX-License-Identifier: Apache-2.0
#include "watch/sun.h"

#include <gtest/gtest.h>

#include <cmath>

namespace fovea::watching {
namespace {

using namespace std::chrono;

sys_seconds utc(int y, unsigned m, unsigned d, int hour, int minute, int second = 0) {
  return sys_days(year(y) / month(m) / day(d)) + hours(hour) + minutes(minute) + seconds(second);
}

// 0.01 of the formula, 0.0024 parallax, 0.0042 for one second between UT1 and UTC, 0.0004 for TT - UTC (the sun's own motion).
constexpr double kTolerance = 0.017;

// I. Reda and A. Andreas, "Solar Position Algorithm for Solar Radiation Applications", NREL/TP-560-34302, table A5.1: 17 October
// 2003, 12:30:30 at UTC-7; height before refraction.
TEST(Sun, StandsWhereNrelsExampleSays) {
  EXPECT_NEAR(sun_height(utc(2003, 10, 17, 19, 30, 30), {39.742476, -105.1786}), 39.872046, kTolerance);
}

// J. Meeus, example 25.a: on 13 October 1992 at 0h the declination is -7.78507 degrees; seen from a pole that is the height.
TEST(Sun, FromAPoleItsHeightIsTheDeclination) {
  EXPECT_NEAR(sun_height(utc(1992, 10, 13, 0, 0), {-90, 0}), 7.78507, kTolerance);
  EXPECT_NEAR(sun_height(utc(1992, 10, 13, 0, 0), {90, 77}), -7.78507, kTolerance);
}

// The Astronomical Almanac: at the solstice of 21 June 2024 (20:51 UT) the obliquity is 23.438 degrees.
TEST(Sun, StandsOverTheTropicAtTheSolstice) {
  EXPECT_NEAR(sun_height(utc(2024, 6, 20, 20, 51), {90, 0}), 23.438, kTolerance);
  EXPECT_NEAR(sun_height(utc(2024, 12, 21, 9, 20), {-90, 0}), 23.438, kTolerance);
}

// The equinox is the moment in which the declination is 0: 20 March 2024, 03:06 UT.
TEST(Sun, StandsOverTheEquatorAtTheEquinox) { EXPECT_NEAR(sun_height(utc(2024, 3, 20, 3, 6), {90, 0}), 0, kTolerance); }

TEST(Sun, IsHighestWhenItCrossesTheMeridian) {
  // In Greenwich the equation of time is -14.2 minutes on 11 February: noon at 12:14.
  const Place greenwich{51.4779, 0};
  const double at_noon = sun_height(utc(2025, 2, 11, 12, 14, 12), greenwich);
  EXPECT_GT(at_noon, sun_height(utc(2025, 2, 11, 12, 9), greenwich));
  EXPECT_GT(at_noon, sun_height(utc(2025, 2, 11, 12, 19), greenwich));
  EXPECT_LT(sun_height(utc(2025, 2, 11, 0, 14), greenwich), -50);
}

TEST(Sun, ItsHeightIsANumberEverywhereAndAlways) {
  for (int year = 1900; year <= 2200; year += 50) {
    for (const double latitude : {-90.0, -45.0, 0.0, 45.0, 90.0}) {
      const double height = sun_height(utc(year, 6, 21, 12, 0), {latitude, 180});
      EXPECT_TRUE(height >= -90 && height <= 90) << height;
    }
  }
}

}  // namespace
}  // namespace fovea::watching
