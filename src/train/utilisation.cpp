// SPDX-License-Identifier: Apache-2.0
#include "train/utilisation.h"

#include <fmt/format.h>

#include <algorithm>

namespace fovea::training {
namespace {

/// Waiting for less than this, in seconds, is not worth a word.
constexpr double kWorthMending = 5;

/// Epochs added up; those of one run go through the same photos, so each takes a time in proportion to 1 / speed.
struct Sum {
  double time = 0;
  double waited = 0;
  double busy = 0;
  bool busy_known = true;
  int epochs = 0;

  void add(const EpochReport& epoch) {
    if (!(epoch.images_per_second > 0)) return;
    const double share = 1 / epoch.images_per_second;
    time += share;
    waited += share * epoch.wait_share;
    busy += share * epoch.device_busy.value_or(0);
    busy_known = busy_known && epoch.device_busy.has_value();
    ++epochs;
  }
};

}  // namespace

std::string remedy_for(double wait_share, double seconds, bool first_epoch, const Feeding& feeding) {
  if (wait_share <= kMostWaiting || wait_share * seconds < kWorthMending) return {};
  std::string text =
      fmt::format("{} {:.0f} % of the time for photos (more than {:.0f} %): ",
                  feeding.gpu ? "the GPU stood idle, waiting" : "training waited", 100 * wait_share, 100 * kMostWaiting);
  if (!feeding.cache_trouble.empty()) {
    text += fmt::format("they are decoded anew in each epoch ({}); make room for the cache, or train on smaller copies",
                        feeding.cache_trouble);
  } else if (first_epoch) {
    text += "the first epoch decodes each of them; later ones, and later runs, take them from the cache";
  } else {
    text +=
        "they come from the cache, but are varied more slowly than the network learns; --augment light asks less of the "
        "processors";
  }
  if (feeding.threads < feeding.processors) text += fmt::format(", and --threads {} uses all of them", feeding.processors);
  return text;
}

std::optional<Utilisation> utilisation_of(const TrainReport& report, const Feeding& feeding) {
  Sum later;
  Sum first;
  for (const EpochReport& epoch : report.epochs) (epoch.epoch == 1 ? first : later).add(epoch);
  const Sum& sum = later.epochs > 0 ? later : first;
  if (sum.epochs == 0) return std::nullopt;
  Utilisation utilisation;
  utilisation.images_per_second = sum.epochs / sum.time;
  utilisation.wait_share = sum.waited / sum.time;
  utilisation.seconds = static_cast<double>(report.train_photos) * sum.time;
  if (sum.busy_known) utilisation.device_busy = sum.busy / sum.time;
  utilisation.remedy = remedy_for(utilisation.wait_share, utilisation.seconds, later.epochs == 0, feeding);
  return utilisation;
}

}  // namespace fovea::training
