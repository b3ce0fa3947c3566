// Fovea: any text as the fields of a model card, without the file around them, whose lengths would stop most mutations early.
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "format/weights.h"
#include "model/model_card.h"

// Lines "field=value", as the metadata of a model file holds them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fovea;
  WeightContents contents;
  std::istringstream lines(std::string(reinterpret_cast<const char*>(data), size));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find('=');
    if (equals != std::string::npos) contents.metadata[line.substr(0, equals)] = line.substr(equals + 1);
  }
  const WeightFile file({}, "input", std::move(contents));
  const auto model = read_model_card(file);
  if (!model) {
    if (model.error().message.find('\n') != std::string::npos) std::abort();  // a message is one line
    return 0;
  }
  // Whatever was read must describe a network that may be built, and be read again as it was.
  if (!validate(model->spec) || model->classes.size() != static_cast<std::size_t>(model->spec.classes)) std::abort();
  WeightContents again;
  again.metadata = write_model_card(*model);
  const auto second = read_model_card(WeightFile({}, "input", std::move(again)));
  if (!second || second->spec != model->spec || second->classes != model->classes || second->preprocess != model->preprocess)
    std::abort();
  return 0;
}
