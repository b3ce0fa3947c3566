// SPDX-License-Identifier: Apache-2.0
#include "golden/golden_case.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "format/weights.h"
#include "model/registry.h"
#include "support/paths.h"

namespace fovea::test {
namespace {

using nlohmann::json;

Result<std::vector<Summary>> read_summaries(const WeightFile& file, std::string_view name, std::size_t count) {
  FOVEA_ASSIGN(const std::vector<float> values, file.to_f32(name));
  constexpr std::size_t kRow = kProjections + 1;
  if (values.size() != count * kRow) return fail(Error::Kind::kFormat, "{}: {} is not of {} tensors", file.source(), name, count);
  std::vector<Summary> summaries(count);
  for (std::size_t i = 0; i < count; ++i) {
    summaries[i].norm = values[i * kRow];
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i * kRow + 1), kProjections, summaries[i].projections.begin());
  }
  return summaries;
}

void make_inputs(const json& facts, GoldenCase& golden) {
  const NetworkSpec& spec = golden.spec;
  golden.image =
      uniform_values("image " + facts["salt"].dump(), std::int64_t{golden.batch} * spec.height * spec.width * 3, -1.5F, 1.5F);
  const double smoothing = facts["smoothing"];
  for (const int label : facts["labels"]) {
    for (int k = 0; k < spec.classes; ++k) {
      golden.targets.push_back(static_cast<float>((k == label ? 1 - smoothing : 0) + smoothing / spec.classes));
    }
  }
  golden.weights = facts["sample_weights"].get<std::vector<float>>();
}

}  // namespace

Result<GoldenCase> read_golden_case(std::string_view name) {
  std::string_view architecture = name;
  for (const std::string_view ending : {"_same", "_conv_head"}) {
    if (architecture.ends_with(ending)) architecture.remove_suffix(ending.size());
  }
  FOVEA_ASSIGN(const Architecture network, find_architecture(architecture));
  FOVEA_ASSIGN(const WeightFile file, open_weights(test_data("golden/data") / (std::string(name) + ".safetensors")));
  json facts;
  for (const auto& [field, text] : file.metadata()) {
    json value = json::parse(text, nullptr, false);
    facts[field] = value.is_discarded() ? json(text) : value;
  }
  GoldenCase golden;
  golden.spec = network.spec;
  golden.spec.classes = facts["classes"];
  golden.spec.height = facts["height"];
  golden.spec.width = facts["width"];
  golden.spec.padding = *padding_from(facts["padding"].get<std::string>());
  golden.spec.bn_eps = facts["bn_eps"];
  golden.spec.bn_momentum = facts["bn_momentum"];
  golden.spec.dropout = 0;
  if (facts.contains("head")) {
    golden.spec.head = *head_from(facts["head"].get<std::string>());
    golden.spec.head_channels = facts["head_channels"];
  }
  golden.batch = facts["batch"];
  golden.rate = facts["rate"];
  golden.momentum = facts["momentum"];
  golden.parameters = facts["parameters"].get<std::vector<std::string>>();
  golden.states = facts["states"].get<std::vector<std::string>>();
  make_inputs(facts, golden);

  FOVEA_ASSIGN(golden.stored_states, file.to_f32("states"));
  FOVEA_ASSIGN(golden.logits, file.to_f32("logits"));
  FOVEA_ASSIGN(const auto frozen_loss, file.to_f32("frozen.loss"));
  golden.frozen_loss = frozen_loss.at(0);
  FOVEA_ASSIGN(golden.frozen_gradients, read_summaries(file, "frozen.gradients", golden.parameters.size()));
  FOVEA_ASSIGN(golden.live_gradients, read_summaries(file, "live.gradients", golden.parameters.size()));
  FOVEA_ASSIGN(golden.live_statistics, read_summaries(file, "live.statistics", golden.states.size()));
  FOVEA_ASSIGN(golden.live_losses, file.to_f32("live.losses"));
  FOVEA_ASSIGN(const auto frozen_bf16, file.to_f32("frozen.bf16"));
  FOVEA_ASSIGN(const auto live_bf16, file.to_f32("live.bf16"));
  golden.frozen_bf16 = frozen_bf16.at(0);
  golden.live_bf16 = live_bf16.at(0);
  return golden;
}

}  // namespace fovea::test
