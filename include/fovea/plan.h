// Fovea: how long training would take here, measured on a few real photos and steps.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "fovea/result.h"
#include "fovea/trainer.h"

namespace fovea {

struct TrainingPlanOptions {
  /// What train() would be told: data, scope, size, epochs, batch, fit, batchnorm, precision, threads, val_fraction,
  /// time_budget_s, stop. A device "auto" means every device that there is. No model is made, so its name, and `arch`, say
  /// nothing here.
  TrainOptions run;
  std::vector<std::string> archs;  ///< empty: every network, by family and size
  /// GPUs that need not be here, by name ("RTX 4060 Ti"): then nothing is measured but photos and the last layer, and every
  /// network is estimated for each of them.
  std::vector<std::string> gpus;
  double seconds_per_network = 4;  ///< to spend on each, about; one that needs more is timed on fewer photos
};

/// What a person might think of a network beside the one to pick; accuracy is the published one on ImageNet, a hint of what
/// fine-tuning on few photos gives.
enum class Advice : std::uint8_t {
  kNone,         ///< nothing to compare with
  kPick,         ///< the most accurate whose weights are here and whose run is short enough
  kBetter,       ///< more accurate, and slower
  kWeaker,       ///< less accurate, and faster
  kPointless,    ///< neither more accurate nor faster
  kWorthTrying,  ///< at least as accurate and no slower, but its weights are not here
  kTooLarge,     ///< needs more memory than is free
  kIfLarger,     ///< the row above, if its run finds that a larger input pays
};
[[nodiscard]] std::string_view name_of(Advice advice);

/// A time, and how much of it the processors work: less than threads times seconds on a busy machine.
struct PlannedTime {
  double seconds = 0;
  double processor_seconds = 0;
};

/// One network at one input size on one device.
struct NetworkPlan {
  std::string arch;
  std::string device;
  int size = 0;  ///< input side in pixels
  /// Set where the run begins at this size and, by cross-validation, goes on at the larger `size`: both come in one run.
  std::optional<int> usual_size;
  std::int64_t parameters = 0;
  std::optional<double> published_accuracy;  ///< top-1 on ImageNet, percent
  bool weights_here = false;                 ///< train() would find pretrained weights without --weights
  double looks_per_second = 0;               ///< photos through the frozen network
  double steps_per_second = 0;               ///< photos forward, backward and into the weights; 0 where nothing is fine-tuned
  std::string precision;                     ///< of fine-tuning's products: "bf16"; empty where nothing is fine-tuned
  std::string precision_reason;              ///< of the choice; empty where fp32 was asked for
  double wait_share = 0;                     ///< expected, of fine-tuning's time: waiting for photos from the cache
  std::int64_t memory = 0;                   ///< bytes at the peak of the run
  PlannedTime features;                      ///< of the training photos
  PlannedTime first_model;                   ///< until a usable model is on disk
  PlannedTime refit;                         ///< more, if another fit of photos than the usual one wins
  PlannedTime head;                          ///< a whole run that ends with the last layer
  PlannedTime trial;                         ///< of ways to fine-tune
  PlannedTime epoch;                         ///< of fine-tuning, with validation
  PlannedTime whole;                         ///< the whole run; fine-tuning is in it unless the scope is kHead
  Advice advice = Advice::kNone;
  std::string not_measured;  ///< why not; empty: measured
  /// Not measured but calculated, from a data sheet and what every op of the network moves and computes.
  struct Estimate {
    double gb_s = 0;  ///< of the GPU's memory, as its maker says
    double fp32_tflops = 0;
    double precision_tflops = 0;  ///< of its products in `precision`, or in what it would be
    double memory_gib = 0;
    std::string source;                ///< of these
    double slow_steps_per_second = 0;  ///< if every op goes through memory; `steps_per_second`: if blocks stay on the chip
    PlannedTime slow_epoch;            ///< likewise
    PlannedTime slow_whole;
    int largest_batch = 0;        ///< that its memory holds; 0: not one photo
    bool holds_data_set = false;  ///< its memory holds the photos too
  };
  std::optional<Estimate> estimate;
};

struct UnusableDevice {
  std::string name;
  std::string reason;
};

struct TrainingPlan {
  int threads = 1;  ///< that measured, and would train
  std::int64_t train_photos = 0;
  std::int64_t val_photos = 0;
  int epochs = 0;                ///< of fine-tuning; 0 with kHead
  double photos_per_second = 0;  ///< read and decoded
  double taken_by_others = 0;    ///< share of the processors' time while this measured; what is planned assumes that it stays so
  std::vector<NetworkPlan> networks;
  std::optional<std::size_t> pick;  ///< of `networks`
  std::vector<UnusableDevice> unusable;
  double seconds = 0;
  bool stopped = false;  ///< on request, before all networks were measured
};

/// Measures and adds up. `on_network` is told each network as soon as it is known, still without advice; may be empty. Fails with
/// what the reader of the data finds, kNotFound for a network or GPU that is not known, the device's error for one that was asked
/// for and cannot be used, kUnsupported where no device, or a GPU of `gpus`, multiplies the precision that was asked for,
/// kCancelled on request before one network is known.
Result<TrainingPlan> plan_training(const TrainingPlanOptions& options,
                                   const std::function<void(const NetworkPlan&)>& on_network = {});

}  // namespace fovea
