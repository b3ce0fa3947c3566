// Fovea: a model's report, one HTML file that needs nothing else: no script, no network, light and dark, screen, phone and paper.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fovea/evaluate.h"
#include "fovea/trainer.h"

namespace fovea::report {

/// Photos whose top probability lies in one of equal parts of 0 to 1.
struct ReliabilityBin {
  std::int64_t photos = 0;
  double probability = 0;  ///< mean of the top probability
  double accuracy = 0;     ///< share that is right
};

struct Calibration {
  std::vector<ReliabilityBin> before;  ///< at temperature 1; empty where it is not known
  std::vector<ReliabilityBin> after;   ///< as the model answers
  std::optional<double> error_before;
  double error_after = 0;
  std::string note;  ///< what `error_after` is worth
};

struct Mistake {
  std::string path;
  std::string label;      ///< of any number of labels all: "a;b"
  std::string predicted;  ///< likewise
  double probability = 0;
  std::vector<std::byte> photo;  ///< a small JPEG
  std::vector<std::byte> heat;   ///< the same with the heat map of the wrong answer laid over it
  std::string about = {};        ///< of any number of labels the one that is wrong; else empty
};

struct Fact {
  std::string name;
  std::string value;
};

/// All that a report shows. What is absent is left out of it, or said to be absent.
struct Input {
  std::string title;                     ///< the model's name
  std::string measured_on = "photo";     ///< one of them: "validation photo"
  std::string worth;                     ///< what the accuracy is worth, in a sentence
  std::optional<Evaluation> evaluation;  ///< none: there were no photos to measure on
  std::optional<Calibration> calibration;
  std::vector<Mistake> mistakes;        ///< worst first; `evaluation.wrong` counts all
  std::optional<TrainReport> training;  ///< none: the report of an evaluation alone
  std::vector<Fact> model;              ///< network, input, size
  std::vector<Fact> hardware;
  std::vector<Fact> provenance;
};

/// Bytes that the pictures of a report may take: those of mistakes that go beyond are left out.
inline constexpr std::size_t kMostPictureBytes = std::size_t{1} << 20;

/// The whole file, UTF-8.
[[nodiscard]] std::string to_html(const Input& input);

}  // namespace fovea::report
