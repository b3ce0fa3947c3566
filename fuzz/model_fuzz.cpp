// Fovea: any bytes as a model: the card in the metadata, or a checkpoint of Ultralytics.
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>

#include "format/weights.h"
#include "model/model_card.h"
#include "model/ultralytics.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fovea;
  const auto file = parse_weights(std::as_bytes(std::span(data, size)), "input");
  if (!file) return 0;
  if (has_model_card(*file)) {
    const auto model = read_model_card(*file);
    // Whatever was read must describe a network that may be built.
    if (model && !validate(model->spec)) std::abort();
  }
  if (is_ultralytics(*file)) {
    const auto model = read_ultralytics(*file);
    if (model && (!validate(model->spec) || model->classes.size() != static_cast<std::size_t>(model->spec.classes))) std::abort();
  }
  return 0;
}
