// Fovea: what training does between the runs of a network, on buffers in a backend's memory.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/pictures.h"

namespace fovea {

/// What may happen to each float of a flat buffer of parameters.
enum class Trained : std::uint8_t {
  kNo,        ///< never moved
  kYes,       ///< moved
  kDecaying,  ///< moved, and shrunk by weight decay
};

/// All pointers are the backend's memory's, in the order of its kernels: nothing waits, and nothing is brought to the host.
/// Formulas are those of train/optimizer.h.
class TrainingOps {
 public:
  TrainingOps() = default;
  TrainingOps(const TrainingOps&) = delete;
  TrainingOps& operator=(const TrainingOps&) = delete;
  virtual ~TrainingOps() = default;

  /// sum[i] += gradients[i].
  virtual void accumulate(const float* gradients, float* sum, std::int64_t count) = 0;

  /// scale[0] = what to multiply gradients with so that the norm of the trained ones is at most `limit` (1 if that is 0), and
  /// scale[1] that norm. work: clip_floats(count) floats.
  virtual void clip(const float* gradients, const Trained* trained, std::int64_t count, double limit, float* work,
                    float* scale) = 0;
  [[nodiscard]] virtual std::int64_t clip_floats(std::int64_t count) const = 0;

  /// Floats of each: parameters, summed gradients, first and second moments.
  struct Buffers {
    float* parameters = nullptr;
    const float* gradients = nullptr;
    float* first = nullptr;
    float* second = nullptr;  ///< AdamW only
    const Trained* trained = nullptr;
    const float* scale = nullptr;  ///< one float: see clip()
    std::int64_t count = 0;
  };
  struct AdamW {
    double lr = 0;
    double weight_decay = 0;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double eps = 1e-8;
    std::int64_t step = 1;  ///< counts from 1
  };
  virtual void adamw(const AdamW& settings, const Buffers& buffers) = 0;
  struct Sgd {
    double lr = 0;
    double weight_decay = 0;
    double momentum = 0.9;
    bool nesterov = false;
  };
  virtual void sgd(const Sgd& settings, const Buffers& buffers) = 0;
  /// average[i] += toward (values[i] - average[i]).
  virtual void update_average(double toward, const float* values, float* average, std::int64_t count) = 0;

  /// A batch's images of photos' bytes: level for level what data/augment.h makes on the host.
  virtual void make_pictures(const Pictures& pictures) = 0;
  [[nodiscard]] virtual std::size_t picture_work_bytes(std::int32_t count, std::int32_t height, std::int32_t width) const = 0;
};

}  // namespace fovea
