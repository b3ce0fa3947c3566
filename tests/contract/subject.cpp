// SPDX-License-Identifier: Apache-2.0
#include "contract/subject.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "backend/reference/definition.h"
#include "backend/reference/rounding.h"
#include "core/rng.h"
#include "graph/passes.h"

namespace fovea::contract {
namespace {

/// FNV-1a: a seed that is the same with every compiler.
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return value;
}

float draw(Rng& rng, Fill fill) {
  switch (fill) {
    case Fill::kNormal: return rng.normal();
    case Fill::kShifted: return 16.0F + rng.normal();
    case Fill::kPositive: return rng.uniform(0.25F, 4.0F);
    case Fill::kActivated: return std::clamp(3.0F + 4.0F * rng.normal(), 0.0F, 6.0F);
    case Fill::kProbabilities: return rng.uniform(0.1F, 1.0F);
  }
  return 0;
}

Floats filled(const Case& source, std::string_view name, const Input& input) {
  Floats values = filled(source.name + "/" + std::string(name), input.shape.elements(), input.fill, input.shape.back());
  if (input.dtype != DType::kF32) {
    for (float& value : values) value = widen_16(input.dtype, round_to_16(input.dtype, value));
  }
  return values;
}

}  // namespace

std::vector<std::byte> stored(std::span<const float> values, DType dtype) {
  std::vector<std::byte> memory(values.size() * size_of(dtype));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t rounded = round_to_16(dtype, values[i]);
    const void* source = dtype == DType::kF32 ? static_cast<const void*>(&values[i]) : &rounded;
    std::memcpy(memory.data() + i * size_of(dtype), source, size_of(dtype));
  }
  return memory;
}

Floats loaded(std::span<const std::byte> memory, DType dtype) {
  Floats values(memory.size() / size_of(dtype));
  convert_to_f32(dtype, memory.data(), values.size(), values.data());
  return values;
}

std::string input_name(std::size_t index) { return fmt::format("input{}", index); }

Floats filled(std::string_view name, std::int64_t elements, Fill fill, std::int64_t row) {
  Rng rng(hash(name));
  Floats values(static_cast<std::size_t>(elements));
  for (float& value : values) value = draw(rng, fill);
  if (fill == Fill::kProbabilities) {
    for (auto begin = values.begin(); begin != values.end(); begin += row) {
      double sum = 0;
      for (auto p = begin; p != begin + row; ++p) sum += static_cast<double>(*p);
      for (auto p = begin; p != begin + row; ++p) *p = static_cast<float>(static_cast<double>(*p) / sum);
    }
  }
  return values;
}

Subject::Subject(const Case& source) {
  std::vector<graph::ValueId> ids;
  for (std::size_t i = 0; i < source.inputs.size(); ++i) {
    const Input& input = source.inputs[i];
    const std::string name = input_name(i);
    ids.push_back(input.role == graph::Role::kParameter ? graph.parameter(name, input.shape)
                  : input.role == graph::Role::kState   ? graph.state(name, input.shape)
                                                        : graph.input(name, input.shape));
    graph.keep_as(ids.back(), input.dtype);
    inputs.push_back(filled(source, name, input));
  }
  if (source.derive) source.derive(inputs);
  for (std::size_t i = 0; i < source.states.size(); ++i) {
    const std::string name = fmt::format("state{}", i);
    outputs.push_back(graph.state(name, source.states[i].shape));
    states.push_back(filled(source, name, source.states[i]));
  }
  if (const auto* update = std::get_if<graph::UpdateRunningStatistics>(&source.op)) {
    graph.add_update(*update, ids, outputs);
  } else {
    outputs = graph.add_all(source.op, ids);
    graph.keep_as(outputs.front(), source.result);
    if (outputs.size() > 1) graph.keep_as(outputs[1], source.second);
    const graph::Node& node = graph.nodes().back();
    if (const auto v = graph::always_kept_rounded(node); v != graph::kNoValue)
      graph.keep_as(v, graph::kept_type(graph::rounding_of(node.op)));
  }
  if (!graph.status()) throw std::logic_error(source.name + ": " + graph.status().error().message);
}

template <class Real>
void evaluate(const graph::Graph& graph, const RunState& state, std::vector<std::vector<Real>>& values) {
  for (const graph::Node& node : graph.nodes()) {
    std::vector<reference::Tensor<const Real>> in;
    std::vector<reference::Tensor<Real>> out;
    for (const graph::ValueId id : node.inputs) in.emplace_back(values[static_cast<std::size_t>(id)].data(), graph.shape(id));
    for (const graph::ValueId id : node.outputs) {
      auto& made = values[static_cast<std::size_t>(id)];
      made.resize(static_cast<std::size_t>(graph.shape(id).elements()));
      out.emplace_back(made.data(), graph.shape(id));
    }
    reference::evaluate(node.op, reference::Operands<Real>{in, out, state});
    for (const graph::ValueId id : node.outputs) {
      if (graph.dtype(id) == DType::kF32) continue;
      for (Real& number : values[static_cast<std::size_t>(id)])
        number = reference::round_to(number, reference::format_of(graph.dtype(id)));
    }
  }
}
template void evaluate(const graph::Graph&, const RunState&, std::vector<std::vector<double>>&);
template void evaluate(const graph::Graph&, const RunState&, std::vector<std::vector<reference::Rounded>>&);

std::vector<std::vector<reference::Rounded>> expected(const Subject& subject) {
  std::vector<std::vector<reference::Rounded>> values(subject.graph.values().size());
  const auto give = [&](graph::ValueId id, const Floats& floats) {
    values[static_cast<std::size_t>(id)].assign(floats.begin(), floats.end());
  };
  for (std::size_t i = 0; i < subject.inputs.size(); ++i) give(subject.node().inputs[i], subject.inputs[i]);
  for (std::size_t i = 0; i < subject.states.size(); ++i) give(subject.outputs[i], subject.states[i]);
  evaluate(subject.graph, subject.state, values);
  std::vector<std::vector<reference::Rounded>> outputs;
  for (const graph::ValueId id : subject.outputs) outputs.push_back(std::move(values[static_cast<std::size_t>(id)]));
  return outputs;
}

}  // namespace fovea::contract
