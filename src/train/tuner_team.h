// Fovea: fine-tuning on one device, or on several that share each batch.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "communicate/communicator.h"
#include "runtime/device.h"
#include "train/fine_tuner.h"

namespace fovea::training {

/// A FineTuner for each device, each in a thread of its own while an epoch runs. What the first one holds is what counts: it is
/// saved, validated and put back, and the others begin every epoch as copies of it. With frozen statistics the result is that of
/// one device and the same batch, to rounding.
class TunerTeam {
 public:
  /// The threads of `context` are shared out evenly. `parameters` are the first one's.
  static Result<TunerTeam> create(const Context& context, std::span<const Device* const> devices, const NetworkSpec& spec,
                                  ParameterSet& parameters, const FineTuneOptions& options);

  [[nodiscard]] FineTuner& first() { return *tuners_.front(); }
  [[nodiscard]] int size() const { return static_cast<int>(tuners_.size()); }
  Result<void> set_schedule(const Schedule& schedule, double average_decay);

  /// As FineTuner::run_epoch, with a source for each member; `on_step` is called by the first one's thread, which is the
  /// caller's.
  Result<EpochResult> run_epoch(std::span<BatchSource* const> sources, std::uint32_t epoch, const FineTuner::OnStep& on_step,
                                const EpochResult& done);

 private:
  TunerTeam() = default;
  void copy_first();
  void leave(std::size_t rank);

  std::vector<std::unique_ptr<Communicator>> gradient_team_;  ///< none where the backends compute on the host
  std::vector<std::unique_ptr<Communicator>> team_;           ///< none for one device
  std::vector<std::unique_ptr<ParameterSet>> parameters_;     ///< of all but the first
  std::vector<std::unique_ptr<FineTuner>> tuners_;
};

}  // namespace fovea::training
