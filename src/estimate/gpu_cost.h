// Fovea: what a network would cost on a GPU that is not here.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "estimate/gpu_models.h"
#include "estimate/roofline.h"
#include "estimate/run_cost.h"

namespace fovea::estimate {

/// A run between two bounds: blocks as one op each, whose inside stays on the chip, and each op for itself through the memory.
struct GpuCosts {
  SizeCosts at_best;
  SizeCosts at_worst;
  std::int64_t bytes = 0;  ///< of the GPU's memory, at the run's batch
  /// Whose step fits into its memory beside the parameters, and which its kernels count; 0: not one photo.
  int largest_batch = 0;
  bool holds_data_set = false;  ///< the training photos' bytes fit beside that, so that only the first pass is fed from outside
  graph::Precision precision = graph::Precision::kF32;  ///< chosen for it
};

/// `host`: photos as measured on this machine, which would decode them; `side`: shorter side of what the cache keeps of a photo.
/// From data sheets and the graphs of `spec`; kept apart from what is measured. kUnsupported where the GPU does not multiply what
/// was asked for.
Result<GpuCosts> gpu_costs(const NetworkSpec& spec, const GpuModel& gpu, const RunFacts& facts, const PhotoCosts& host, int side);

/// As training chooses it there.
Result<graph::Precision> choose_precision(PrecisionChoice asked, const GpuModel& gpu);

}  // namespace fovea::estimate
