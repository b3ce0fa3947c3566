// Fovea: a graph made ready to run: kernels chosen, memory laid out. Immutable.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "backend/backend.h"
#include "core/context.h"
#include "graph/graph.h"

namespace fovea {

struct PlanOptions {
  /// Parameters and states do not change between runs: what depends on them alone is computed once, by Executor::prepare_weights.
  bool constant_weights = false;
  /// Output names whose memory the caller provides (Executor::bind): the gradients, in one flat buffer.
  std::vector<std::string> bound_outputs;
};

class Plan {
 public:
  /// Where a value lives.
  struct Bound {
    std::size_t slot;  ///< given by the caller
  };
  struct InArena {
    std::size_t offset;  ///< bytes; shared over time with values of other lifetimes
  };
  struct Persistent {
    std::size_t offset;  ///< bytes; depends on parameters alone and is kept
  };
  using Place = std::variant<Bound, InArena, Persistent>;

  struct PlannedNode {
    std::unique_ptr<Kernel> kernel;
    std::size_t scratch_offset = 0;  ///< in the arena
    std::size_t packed_offset = 0;   ///< in the persistent memory
    bool once = false;               ///< run by prepare_weights, not by every run
  };

  /// kUnsupported names the first node that the backend does not know.
  static Result<std::shared_ptr<const Plan>> make(const Context& context, graph::Graph graph, const Backend& backend,
                                                  const PlanOptions& options = {});

  [[nodiscard]] const graph::Graph& graph() const { return graph_; }
  /// Where its tensors live.
  [[nodiscard]] const std::shared_ptr<Memory>& memory() const { return memory_; }
  [[nodiscard]] const std::shared_ptr<Recorder>& recorder() const { return recorder_; }
  [[nodiscard]] std::span<const PlannedNode> nodes() const { return nodes_; }
  [[nodiscard]] const Place& place(graph::ValueId value) const { return places_[static_cast<std::size_t>(value)]; }
  [[nodiscard]] std::size_t slots() const { return slots_; }
  [[nodiscard]] std::size_t arena_bytes() const { return arena_bytes_; }
  [[nodiscard]] std::size_t persistent_bytes() const { return persistent_bytes_; }
  /// Bytes if nothing shared memory: what laying out by lifetime saves is the difference to arena_bytes().
  [[nodiscard]] std::size_t unshared_bytes() const { return unshared_bytes_; }
  [[nodiscard]] bool constant_weights() const { return constant_weights_; }
  /// One line a node with its kernel and place in memory.
  [[nodiscard]] std::string describe() const;

 private:
  Plan() = default;

  // The kernels' device goes last.
  std::shared_ptr<Memory> memory_;
  std::shared_ptr<Recorder> recorder_;
  graph::Graph graph_;
  std::vector<PlannedNode> nodes_;
  std::vector<Place> places_;
  std::size_t slots_ = 0;
  std::size_t arena_bytes_ = 0;
  std::size_t persistent_bytes_ = 0;
  std::size_t unshared_bytes_ = 0;
  bool constant_weights_ = false;
};

}  // namespace fovea
