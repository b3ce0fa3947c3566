// Fovea: what training does between the runs of a network, on buffers in a backend's memory.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/loss_scale.h"
#include "backend/pictures.h"

namespace fovea {

/// What may happen to each float of a flat buffer of parameters.
enum class Trained : std::uint8_t {
  kNo,        ///< never moved
  kYes,       ///< moved
  kDecaying,  ///< moved, and shrunk by weight decay
};

/// What a batch's gradients turned out to be.
struct GradientScale {
  float factor = 1;           ///< what to multiply them with: of clipping, and to undo the loss's scale
  float norm = 0;             ///< of the trained ones, without the loss's scale
  std::int32_t left_out = 0;  ///< not 0: they overflowed, and the step moves nothing
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

  /// Finds the scale with which the norm of the trained gradients is at most `limit` (0: any). work: clip_floats(count) floats.
  /// If `loss` is not null, they are those of the loss times its scale, and it becomes what follows; a norm that is no number is
  /// then a step that is left out.
  virtual void clip(const float* gradients, const Trained* trained, std::int64_t count, double limit, float* work,
                    GradientScale* scale, LossScale* loss) = 0;
  [[nodiscard]] virtual std::int64_t clip_floats(std::int64_t count) const = 0;

  /// Floats of each: parameters, summed gradients, first and second moments.
  struct Buffers {
    float* parameters = nullptr;
    const float* gradients = nullptr;
    float* first = nullptr;
    float* second = nullptr;  ///< AdamW only
    const Trained* trained = nullptr;
    const GradientScale* scale = nullptr;  ///< see clip()
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
  /// average[i] += toward (values[i] - average[i]), unless the step is left out.
  virtual void update_average(double toward, const float* values, float* average, std::int64_t count,
                              const GradientScale* scale) = 0;
  /// values[i] = kept[i], if the step is left out: what the run of the network itself has moved.
  virtual void put_back(const float* kept, float* values, std::int64_t count, const GradientScale* scale) = 0;

  /// A batch's images of photos' bytes: level for level what data/augment.h makes on the host.
  virtual void make_pictures(const Pictures& pictures) = 0;
  [[nodiscard]] virtual std::size_t picture_work_bytes(std::int32_t count, std::int32_t height, std::int32_t width) const = 0;
};

}  // namespace fovea
