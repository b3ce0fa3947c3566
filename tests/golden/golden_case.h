// Fovea: one network as PyTorch computed it: a file under tests/golden/data.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/result.h"
#include "golden/golden_values.h"
#include "model/network.h"

namespace fovea::test {

/// A tensor's norm and projections.
struct Summary {
  double norm = 0;
  Projections projections{};
};

struct GoldenCase {
  NetworkSpec spec;
  int batch = 1;
  double rate = 0;
  double momentum = 0;
  std::vector<std::string> parameters;  ///< in the order of the gradients
  std::vector<std::string> states;      ///< in the order of the statistics
  std::vector<float> image;             ///< (N,H,W,3)
  std::vector<float> targets;           ///< (N,K)
  std::vector<float> weights;           ///< (N)

  std::vector<float> stored_states;  ///< that the frozen passes use, of all states in turn
  std::vector<float> logits;         ///< (N,K), with those
  double frozen_loss = 0;
  std::vector<Summary> frozen_gradients;
  std::vector<Summary> live_gradients;   ///< of the first step
  std::vector<Summary> live_statistics;  ///< after it
  std::vector<float> live_losses;        ///< before each of ten steps
  double frozen_bf16 = 0;                ///< error of all gradients together, by norm, that PyTorch has with autocast to bf16
  double live_bf16 = 0;
};

/// "mobilenet_v2_0.35_same": the name of an architecture, and what differs from it.
Result<GoldenCase> read_golden_case(std::string_view name);

}  // namespace fovea::test
