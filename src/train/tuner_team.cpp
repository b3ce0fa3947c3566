// SPDX-License-Identifier: Apache-2.0
#include "train/tuner_team.h"

#include <algorithm>
#include <exception>
#include <thread>

#include "backend/gpu_team.h"
#include "communicate/thread_team.h"
#include "core/error.h"
#include "train/run_setup.h"

namespace fovea::training {
namespace {

/// How a member's epoch ended: one of them.
struct Ending {
  std::optional<Result<EpochResult>> result;
  std::exception_ptr thrown;
};

}  // namespace

Result<TunerTeam> TunerTeam::create(const Context& context, std::span<const Device* const> devices, const NetworkSpec& spec,
                                    ParameterSet& parameters, const FineTuneOptions& options) {
  TunerTeam made;
  const auto size = static_cast<int>(devices.size());
  if (size > 1) made.team_ = make_thread_team(size);
  const bool on_host = std::ranges::all_of(devices, [](const Device* d) { return d->backend->training() == nullptr; });
  if (size > 1 && !on_host) {
    std::vector<int> gpus;
    for (const Device* device : devices) gpus.push_back(device->gpu);
    FOVEA_ASSIGN(made.gradient_team_, make_gpu_team(gpus));
  }
  Context share = context;
  share.threads = std::max(1, context.threads / size);
  for (std::size_t rank = 0; rank < devices.size(); ++rank) {
    ParameterSet* own = &parameters;
    if (rank > 0) {
      FOVEA_ASSIGN(ParameterSet copy, copy_parameters(spec, parameters));
      own = made.parameters_.emplace_back(std::make_unique<ParameterSet>(std::move(copy))).get();
    }
    FineTuneOptions tuning = options;
    tuning.team = size > 1 ? made.team_[rank].get() : nullptr;
    tuning.gradient_team = made.gradient_team_.empty() ? nullptr : made.gradient_team_[rank].get();
    FOVEA_ASSIGN(FineTuner tuner, FineTuner::create(share, *devices[rank]->backend, spec, *own, tuning));
    made.tuners_.push_back(std::make_unique<FineTuner>(std::move(tuner)));
  }
  return made;
}

Result<void> TunerTeam::set_schedule(const Schedule& schedule, double average_decay) {
  for (const auto& tuner : tuners_) FOVEA_TRY(tuner->set_schedule(schedule, average_decay));
  return {};
}

void TunerTeam::leave(std::size_t rank) {
  team_[rank]->leave();
  if (!gradient_team_.empty()) gradient_team_[rank]->leave();
}

void TunerTeam::copy_first() {
  const FineTuner::Buffers from = first().buffers();
  for (auto tuner = tuners_.begin() + 1; tuner != tuners_.end(); ++tuner) {
    const FineTuner::Buffers to = (*tuner)->buffers();
    std::ranges::copy(from.parameters, to.parameters.begin());
    std::ranges::copy(from.first, to.first.begin());
    std::ranges::copy(from.second, to.second.begin());
    std::ranges::copy(from.average, to.average.begin());
    (*tuner)->put_back();
    (*tuner)->set_counters(first().counters());
  }
}

Result<EpochResult> TunerTeam::run_epoch(std::span<BatchSource* const> sources, std::uint32_t epoch,
                                         const FineTuner::OnStep& on_step, const EpochResult& done) {
  if (size() == 1) return first().run_epoch(*sources[0], epoch, on_step, done);
  copy_first();
  const EpochResult begun = done;  // `done` may be what on_step updates
  std::vector<Ending> endings(tuners_.size());
  const auto run = [&](std::size_t rank) {
    try {
      endings[rank].result = tuners_[rank]->run_epoch(*sources[rank], epoch, rank == 0 ? on_step : FineTuner::OnStep(), begun);
      const auto& result = *endings[rank].result;
      if (!result || !result->finished) leave(rank);
    } catch (...) {
      endings[rank].thrown = std::current_exception();
      leave(rank);
    }
  };
  std::vector<std::thread> others;
  for (std::size_t rank = 1; rank < tuners_.size(); ++rank) others.emplace_back(run, rank);
  run(0);
  for (std::thread& other : others) other.join();
  for (const Ending& ending : endings) {
    if (ending.thrown) std::rethrow_exception(ending.thrown);
  }
  for (const Ending& ending : endings) {
    if (!*ending.result && ending.result->error().kind != Error::Kind::kCancelled) return ending.result->error();
  }
  return *std::move(endings[0].result);
}

}  // namespace fovea::training
