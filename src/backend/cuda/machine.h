// Fovea: what the backend's kernels run on: a GPU, or in the proof the host.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/cuda/kernels/step_state.h"
#include "backend/cuda/lane.h"
#include "backend/cuda/products.h"
#include "backend/nvjpeg_files.h"

namespace fovea::cuda {

class Machine {
 public:
  Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  virtual ~Machine() = default;

  [[nodiscard]] virtual std::string name() const = 0;  ///< of the backend: "cuda"
  [[nodiscard]] virtual Stream stream() const = 0;
  [[nodiscard]] virtual std::shared_ptr<Memory> memory() const = 0;
  [[nodiscard]] virtual std::shared_ptr<Recorder> recorder() const = 0;
  [[nodiscard]] virtual Products& products() = 0;
  /// Bytes of the second-level cache that a kernel's work may fill.
  [[nodiscard]] virtual std::size_t cache_bytes() const = 0;
  /// Whether it has fast products of such numbers.
  [[nodiscard]] virtual bool has(graph::Precision precision) const = 0;
  /// For a thread that computes beside this one.
  [[nodiscard]] virtual std::unique_ptr<Lane> make_lane() const = 0;
  /// By what names nvJPEG is looked for.
  [[nodiscard]] virtual std::vector<std::string> nvjpeg_files() const { return fovea::nvjpeg_files(); }
  /// Where kernels find the state of the run; and puts it there, unless a recording is made, which gets its own when it is
  /// replayed.
  [[nodiscard]] virtual const StepState* state() const = 0;
  virtual void set_state(const RunState& state) = 0;
};

}  // namespace fovea::cuda
