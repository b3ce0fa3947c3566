// Fovea: what a graph would take on a GPU that is known from its data sheet alone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "estimate/gpu_models.h"
#include "fovea/result.h"
#include "graph/compile.h"
#include "graph/graph.h"
#include "model/network.h"

namespace fovea::estimate {

/// Shares of a data sheet's rates that programs reach, and what starting a kernel costs: taken as the same for every GPU.
struct Reach {
  double memory = 0.75;
  double tensor = 0.4;
  double ordinary = 0.5;
  double start_s = 3e-6;  ///< seconds a node, its kernels started from a recording
};

/// What a node moves and computes.
struct Work {
  double bytes = 0;           ///< every operand read once, every result written once, as they are kept
  double tensor_flops = 0;    ///< of products, which tensor units do but in fp32; what is computed twice counts twice
  double ordinary_flops = 0;  ///< of depthwise windows, which they do not
};
[[nodiscard]] Work work_of(const graph::Graph& graph, const graph::Node& node);

/// Seconds of one run: of each node the longest of moving, tensor and ordinary arithmetic (S. Williams, A. Waterman, D.
/// Patterson, "Roofline: an insightful visual performance model for multicore architectures", CACM 2009), one node after the
/// other. The graph says what the operands of products are rounded to, and how values are kept.
[[nodiscard]] double seconds_of(const graph::Graph& graph, const GpuModel& gpu, const Reach& reach = {});

/// The graphs of a network with a batch of so many rows.
struct NetworkGraphs {
  graph::Graph look;
  graph::Graph learn;
};
/// What training on a GPU rounds and keeps rounded where `precision` was chosen: training::precisions_of its backend.
[[nodiscard]] graph::Precisions gpu_precisions(graph::Precision precision);
/// `fused`: an inverted residual block is one node, whose inside never leaves the chip; else a node for each of its parts.
Result<NetworkGraphs> graphs_of(const NetworkSpec& spec, int rows, NormMode norm, bool fused, graph::Precision precision);

/// Seconds of the optimiser's step and of the moving average over so many parameters: memory alone.
[[nodiscard]] double update_seconds(std::int64_t parameters, const GpuModel& gpu, const Reach& reach = {});

/// A count to calculate with.
[[nodiscard]] inline double real(std::int64_t count) { return static_cast<double>(count); }

/// Bytes that a run's values between nodes take, laid out by lifetime, with what blocks keep between their own passes.
[[nodiscard]] std::int64_t arena_bytes(const graph::Graph& graph);

}  // namespace fovea::estimate
