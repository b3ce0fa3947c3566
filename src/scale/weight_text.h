// Fovea: what scales say, as grams.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "fovea/scale.h"

namespace fovea::checkout {

struct WeightReport {
  double grams = 0;
  std::optional<bool> stable;  ///< none: the scale does not say
};

[[nodiscard]] double grams_per(WeightUnit unit);

/// A line of a serial scale, without its end; `unit` is that of a number without one. None for what is no weight: an overload, an
/// error, an answer to another command, half a line. Understood, with any blanks between the parts:
///   ST,GS,+  0.123kg     stable (ST) or not (US, SD), then what kind of weight: A&D's and CAS's usual format
///   S S    100.00 g      stable (S S) or not (S D): MT-SICS of Mettler-Toledo, asked for by "SI"
///   +00.123 kg, 0,123    a number alone, perhaps after a control character: continuous output, answers to "W"
[[nodiscard]] std::optional<WeightReport> parse_weight(std::string_view line, WeightUnit unit);

/// An input report of a USB weighing device: report id 3, status, unit, exponent of ten, weight (16 bits, little-endian); USB-IF,
/// "HID Point of Sale Usage Tables" 1.02, scale data report. None for other reports and for status fault, overload, and the like.
[[nodiscard]] std::optional<WeightReport> parse_weight_report(std::span<const std::byte> report);

/// Whether a scale says that it cannot tell the weight: overload, fault, to be set to zero or calibrated. Then an earlier weight
/// holds no longer. "OL,..." and "S +", "S -" of serial scales; status 1, 6, 7 and 8 of USB weighing devices.
[[nodiscard]] bool says_no_weight(std::string_view line);
[[nodiscard]] bool says_no_weight(std::span<const std::byte> report);

}  // namespace fovea::checkout
