// SPDX-License-Identifier: Apache-2.0
#include "watch/sun.h"

#include <cmath>
#include <numbers>

namespace fovea::watching {
namespace {

double radians(double degrees) { return degrees * std::numbers::pi / 180; }
double sine(double degrees) { return std::sin(radians(degrees)); }
double cosine(double degrees) { return std::cos(radians(degrees)); }

}  // namespace

double sun_height(std::chrono::sys_seconds time, const Place& place) {
  // Days, then Julian centuries, since 2000-01-01 12:00.
  const double days = static_cast<double>(time.time_since_epoch().count() - 946'728'000) / 86400;
  const double t = days / 36525;

  // Chapter 25: mean longitude, mean anomaly, equation of the centre; then aberration and nutation in longitude.
  const double mean_longitude = 280.46646 + t * (36000.76983 + t * 0.0003032);
  const double anomaly = 357.52911 + t * (35999.05029 - t * 0.0001537);
  const double centre = sine(anomaly) * (1.914602 - t * (0.004817 + t * 0.000014)) +
                        sine(2 * anomaly) * (0.019993 - t * 0.000101) + sine(3 * anomaly) * 0.000289;
  const double node = 125.04 - 1934.136 * t;
  const double longitude = mean_longitude + centre - 0.00569 - 0.00478 * sine(node);
  // Chapter 22, corrected as chapter 25 says for the apparent place.
  const double obliquity = 23.4392911 - t * (0.0130041667 + t * (0.00000016389 - t * 0.00000050361)) + 0.00256 * cosine(node);

  const double right_ascension = std::atan2(cosine(obliquity) * sine(longitude), cosine(longitude)) * 180 / std::numbers::pi;
  const double sine_declination = sine(obliquity) * sine(longitude);
  const double cosine_declination = std::sqrt(1 - sine_declination * sine_declination);

  // Chapter 12: sidereal time in Greenwich, with the nutation's part. Chapter 13: height.
  const double sidereal = 280.46061837 + 360.98564736629 * days + t * t * 0.000387933 - 0.00478 * sine(node) * cosine(obliquity);
  const double hour_angle = sidereal + place.longitude - right_ascension;
  const double sine_height =
      sine(place.latitude) * sine_declination + cosine(place.latitude) * cosine_declination * cosine(hour_angle);
  return std::asin(std::fmin(std::fmax(sine_height, -1), 1)) * 180 / std::numbers::pi;
}

}  // namespace fovea::watching
