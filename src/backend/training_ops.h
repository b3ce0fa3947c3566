// Fovea: what training does between the runs of a network, on buffers in a backend's memory.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace fovea {

/// What may happen to each float of a flat buffer of parameters.
enum class Trained : std::uint8_t {
  kNo,        ///< never moved
  kYes,       ///< moved
  kDecaying,  ///< moved, and shrunk by weight decay
};

/// One photo of a batch: where its pixels come from, and what becomes of them.
struct PhotoDraw {
  /// Pixel centre (x, y) of the target shows the source at (m0 x + m1 y + m2, m3 x + m4 y + m5), pixel centres at whole numbers:
  /// crops, flips, turns and shears in one. Outside the source it is `fill`.
  float map[6] = {1, 0, 0, 0, 1, 0};
  /// Each colour (0 to 255) is a row of this times (red, green, blue, 1), kept within 0 to 255.
  float colour[12] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0};
  /// Target columns [left, right) of rows [top, bottom) are 0 after normalisation.
  std::int32_t left = 0, top = 0, right = 0, bottom = 0;
  std::int32_t source = 0;  ///< index of the photo among the sources
  float fill = 0;
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

  /// Bytes of photos (n, height, width, 3) that lie in the backend's memory, and the images (n, height, width, 3) to make of
  /// them.
  struct Photos {
    const std::uint8_t* pixels = nullptr;
    std::int32_t height = 0, width = 0;
  };
  struct Images {
    float* pixels = nullptr;
    std::int32_t count = 0, height = 0, width = 0;
    float mean[3] = {};   ///< subtracted from colours of 0 to 1
    float scale[3] = {};  ///< which are then multiplied by this: 1 / deviation
  };
  /// Image i as draws[i] (an array in the backend's memory) says: sampled between four pixels, coloured, normalised, erased.
  virtual void draw(const Photos& photos, const PhotoDraw* draws, const Images& images) = 0;
};

}  // namespace fovea
