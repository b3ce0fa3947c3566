// Fovea: the narrow boundary between a plan and what computes it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "backend/memory.h"
#include "core/buffer.h"
#include "core/context.h"
#include "fovea/result.h"
#include "graph/graph.h"

namespace fovea {

class JpegDecoder;  // backend/jpeg_decoder.h
class TrainingOps;  // backend/training_ops.h

/// What differs from run to run and is no tensor.
struct RunState {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  /// Number of the first row of this run in its batch: what is random goes by the row in the batch, whoever computes it.
  std::int64_t first_row = 0;
};

/// What a kernel computes on. All memory is the executor's.
struct Arguments {
  std::span<const TensorView> inputs;
  std::span<const TensorView> outputs;
  std::byte* scratch = nullptr;  ///< scratch_bytes(), content undefined, aligned to kAlignment
  std::byte* packed = nullptr;   ///< packed_bytes(), kept from pack() to the next pack()
  RunState state;
};

/// One node, prepared: everything is decided. `run` does not allocate, look up, read the environment or log, and may be called
/// by one thread at a time.
class Kernel {
 public:
  Kernel() = default;
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  virtual ~Kernel() = default;

  virtual void run(const Arguments& arguments) const = 0;

  /// Rearranges parameter inputs into arguments.packed; called after parameters change and before run. Intermediate inputs and
  /// outputs are not valid then, unless they depend on parameters and states alone.
  virtual void pack(const Arguments& /*arguments*/) const {}
  [[nodiscard]] virtual std::size_t packed_bytes() const { return 0; }
  [[nodiscard]] virtual std::size_t scratch_bytes() const { return 0; }
  /// Whether run() reads input 0 alone, since pack() keeps all that it needs of the others: their memory may then be used again.
  [[nodiscard]] virtual bool runs_on_packed() const { return false; }
  /// The input whose memory output 0 may take over: the kernel reads element i of it before it writes element i.
  [[nodiscard]] virtual std::optional<std::size_t> reusable_input() const { return std::nullopt; }
  /// Which implementation this is, for reports and for tests that prove the choice: "onednn/conv2d", "avx2/depthwise".
  [[nodiscard]] virtual std::string_view name() const = 0;
};

/// A run of many kernels that the device starts as one (a CUDA graph).
class Recording {
 public:
  Recording() = default;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  virtual ~Recording() = default;
  /// The same run over the same memory, with another state.
  virtual void replay(const RunState& state) = 0;
};

/// Makes recordings. The memory that `run` works on must outlive them.
class Recorder {
 public:
  Recorder() = default;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  virtual ~Recorder() = default;
  /// Calls `run`, which starts kernels and nothing else; they are written down and not computed. An error says why that is not
  /// possible; then kernels are started one by one, as without a recorder.
  virtual Result<std::unique_ptr<Recording>> record(const std::function<void()>& run) = 0;
};

class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual bool supports(const graph::Graph& graph, const graph::Node& node) const = 0;
  /// Chooses and sets up the kernel of a supported node. `constant_weights`: parameters change rarely (use), not every step
  /// (training).
  virtual Result<std::unique_ptr<Kernel>> prepare(const Context& context, const graph::Graph& graph, const graph::Node& node,
                                                  bool constant_weights) const = 0;
  /// Where the tensors of its kernels live.
  [[nodiscard]] virtual std::shared_ptr<Memory> memory() const { return host_memory(); }
  /// Null where recording gains nothing.
  [[nodiscard]] virtual std::shared_ptr<Recorder> recorder() const { return nullptr; }
  /// Why not, where it has none.
  [[nodiscard]] virtual Result<std::shared_ptr<JpegDecoder>> jpeg_decoder() const {
    return Error{Error::Kind::kUnsupported, "the " + std::string(name()) + " device decodes no photos"};
  }
  /// What trains where its memory is; null where the host does that.
  [[nodiscard]] virtual std::shared_ptr<TrainingOps> training() const { return nullptr; }
};

}  // namespace fovea
