// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/training.h"

#include <cmath>
#include <utility>

#include "backend/cuda/kernels/pictures.h"
#include "backend/cuda/kernels/training.h"

namespace fovea::cuda {
namespace {

class CudaTraining final : public TrainingOps {
 public:
  explicit CudaTraining(std::shared_ptr<Machine> machine) : machine_(std::move(machine)) {}

  void accumulate(const float* gradients, float* sum, std::int64_t count) override {
    cuda::accumulate(stream(), gradients, sum, count);
  }
  void clip(const float* gradients, const Trained* trained, std::int64_t count, double limit, float* work, GradientScale* scale,
            LossScale* loss) override {
    cuda::clip(stream(), gradients, trained, count, static_cast<float>(limit), work, scale, loss);
  }
  [[nodiscard]] std::int64_t clip_floats(std::int64_t count) const override { return clip_grid(count).columns; }

  void adamw(const AdamW& s, const Buffers& buffers) override {
    const auto t = static_cast<double>(s.step);
    const AdamWFactors factors{.keep = static_cast<float>(1 - s.lr * s.weight_decay),
                               .keep_undecayed = 1,
                               .rate = static_cast<float>(s.lr / (1 - std::pow(s.beta1, t))),
                               .correction = static_cast<float>(std::sqrt(1 - std::pow(s.beta2, t))),
                               .toward = static_cast<float>(1 - s.beta1),
                               .beta2 = static_cast<float>(s.beta2),
                               .toward2 = static_cast<float>(1 - s.beta2),
                               .eps = static_cast<float>(s.eps)};
    cuda::adamw(stream(), factors, buffers);
  }
  void sgd(const Sgd& s, const Buffers& buffers) override {
    const auto momentum = static_cast<float>(s.momentum);
    // The step is g + momentum v with Nesterov, v without.
    const SgdFactors factors{.rate = static_cast<float>(s.lr),
                             .decay = static_cast<float>(s.weight_decay),
                             .momentum = momentum,
                             .of_gradient = s.nesterov ? 1.0F : 0.0F,
                             .of_velocity = s.nesterov ? momentum : 1.0F};
    cuda::sgd(stream(), factors, buffers);
  }
  void update_average(double toward, const float* values, float* average, std::int64_t count,
                      const GradientScale* scale) override {
    cuda::update_average(stream(), static_cast<float>(toward), values, average, count, scale);
  }
  void put_back(const float* kept, float* values, std::int64_t count, const GradientScale* scale) override {
    cuda::put_back(stream(), kept, values, count, scale);
  }
  void make_pictures(const Pictures& pictures) override { cuda::make_pictures(stream(), pictures); }
  [[nodiscard]] std::size_t picture_work_bytes(std::int32_t count, std::int32_t height, std::int32_t width) const override {
    return cuda::picture_work_bytes(count, height, width);
  }

 private:
  /// On the device, which this makes the calling thread's: kernels are started on that alone.
  [[nodiscard]] Stream stream() const {
    (void)machine_->memory()->turn();
    return machine_->stream();
  }

  std::shared_ptr<Machine> machine_;
};

}  // namespace

std::shared_ptr<TrainingOps> make_training_ops(std::shared_ptr<Machine> machine) {
  return std::make_shared<CudaTraining>(std::move(machine));
}

}  // namespace fovea::cuda
