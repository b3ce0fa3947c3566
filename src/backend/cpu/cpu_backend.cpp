// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/cpu_backend.h"

#include <algorithm>
#include <cstdlib>
#include <oneapi/dnnl/dnnl.hpp>
#include <utility>

#include "backend/cpu/block/bf16.h"
#include "backend/cpu/convolution_bf16.h"
#include "backend/cpu/kernels/depthwise.h"
#include "backend/cpu/setup.h"
#include "core/error.h"
#include "graph/passes.h"

namespace fovea {
namespace {

/// Holds oneDNN to the same instruction set. It decides once in a process; when it has, this changes nothing.
void restrict_onednn(std::string_view target) {
  if (target == "avx2") (void)dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
  if (target == "sse4" || target == "ssse3" || target == "emu128") (void)dnnl::set_max_cpu_isa(dnnl::cpu_isa::sse41);
}

/// Which numbers there are products of.
bool has(graph::Precision precision, cpu::Target target) {
  return precision == graph::Precision::kF32 || (precision == graph::Precision::kBF16 && cpu::block::has_bf16(target));
}

/// Blocks of the precision and the windows that have kernels; no network has others.
bool is_defined(const graph::InvertedResidual& block, cpu::Target target) {
  return cpu::block::Geometry::supports(block) && has(block.precision, target);
}

/// A silu's derivative cannot be told from its output, which is all that a depthwise backward has.
bool is_defined(const graph::Op& op, cpu::Target target) {
  if (const auto* block = std::get_if<graph::InvertedResidual>(&op)) return is_defined(*block, target);
  if (const auto* block = std::get_if<graph::InvertedResidualBackward>(&op))
    return is_defined(block->forward, target) && block->input_activation != graph::Activation::kSilu;
  if (const auto* block = std::get_if<graph::InvertedResidualTrain>(&op))
    return is_defined(cpu::block::without_statistics(*block), target);
  if (const auto* block = std::get_if<graph::InvertedResidualTrainBackward>(&op))
    return is_defined(cpu::block::without_statistics(block->forward), target);
  if (const auto* activate = std::get_if<graph::Activate>(&op))
    return !activate->keeps_slope || activate->activation == graph::Activation::kSilu;
  if (const auto* convolution = std::get_if<graph::Conv2d>(&op); convolution != nullptr && convolution->keeps_slope)
    return cpu::has_own_convolution_bf16(*convolution, target);
  if (const auto* gradient = std::get_if<graph::Conv2dBackwardInput>(&op);
      gradient != nullptr && (gradient->adds || gradient->by_slope))
    return cpu::has_own_convolution_bf16(*gradient, target);
  if (!has(convolution_precision(op), target)) return false;
  const auto* depthwise = std::get_if<graph::DepthwiseConv2dBackward>(&op);
  return depthwise == nullptr ||
         (depthwise->activation != graph::Activation::kSilu && depthwise->input_activation != graph::Activation::kSilu &&
          depthwise->window.kernel_h <= cpu::kMaxDepthwiseRows);
}

/// Whether the node's kernel reads and writes its values as they are kept.
bool is_kept_well(const graph::Graph& graph, const graph::Node& node, cpu::Target target) {
  if (!graph::is_kept_well(graph, node)) return false;
  if (graph::is_all_floats(graph, node)) return true;
  return cpu::block::has_bf16(target) && !graph::keeps_any_as(graph, node, DType::kF16);
}

/// Of the environment; empty where it is not set.
std::string_view setting(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing in Fovea sets the environment
  return value == nullptr ? "" : value;
}

class CpuBackend final : public Backend {
 public:
  CpuBackend(cpu::Target target, cpu::Products products) : target_(target), products_(products) {}

  [[nodiscard]] std::string_view name() const override { return "cpu"; }

  [[nodiscard]] bool supports(const graph::Graph& graph, const graph::Node& node) const override {
    // Own products are of floats.
    if (products_ == cpu::Products::kOwn && convolution_precision(node.op) == graph::Precision::kBF16) return false;
    return is_defined(node.op, target_) && is_kept_well(graph, node, target_);
  }

  Result<std::unique_ptr<Kernel>> prepare(const Context& context, const graph::Graph& graph, const graph::Node& node,
                                          bool constant_weights) const override {
    if (!supports(graph, node)) {
      return fail(Error::Kind::kUnsupported, "cpu backend: {} with these fields has no kernel", graph::name_of(node.op));
    }
    const cpu::Setup setup{{graph, node}, context, target_, products_, constant_weights};
    try {
      return std::visit([&](const auto& op) { return cpu::prepare_op(setup, op); }, node.op);
    } catch (const dnnl::error& error) {
      return fail(Error::Kind::kUnsupported, "cpu backend: {}: oneDNN says '{}'", graph::name_of(node.op), error.what());
    }
  }

 private:
  cpu::Target target_;
  cpu::Products products_;
};

}  // namespace

Result<std::unique_ptr<Backend>> make_cpu_backend() {
  const std::string_view wanted = setting("FOVEA_CPU");
  FOVEA_ASSIGN(const cpu::Target target, cpu::Target::choose(wanted));
  FOVEA_ASSIGN(const cpu::Products products, cpu::choose_products(setting("FOVEA_PRODUCTS")));
  if (!wanted.empty()) restrict_onednn(target.name());
  return std::unique_ptr<Backend>(std::make_unique<CpuBackend>(target, products));
}

}  // namespace fovea
