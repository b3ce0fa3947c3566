// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "core/error.h"
#include "train/k_fold.h"
#include "train/training_run.h"

namespace fovea::training {

void TrainingRun::head_folds(const FeatureSet& set, std::span<const float> row_weights, std::span<const std::int32_t> groups) {
  if (options_.folds == 0 || (options_.folds_of_recipe && options_.scope != Scope::kHead)) return;
  reporter_.report().cross_validation = summary_of(
      "last layer", cross_validate_head(context_, set, row_weights, groups, options_.folds, options_.seed), reporter_.measure());
}

Result<void> TrainingRun::fold_runs() {
  if (options_.folds == 0 || reporter_.report().cross_validation) return {};
  FOVEA_ASSIGN(const auto parts, split_into_folds(context_, data_, options_.folds, options_.seed));
  std::vector<double> accuracies;
  for (std::size_t fold = 0; fold < parts.size(); ++fold) {
    TrainOptions options = options_;
    options.folds = 0;
    options.resume = false;
    options.run_folder = paths_.run_folder / "fold";
    options.model = options.run_folder / "model.safetensors";
    reporter_.begin_stage(fmt::format("fold {}/{}", fold + 1, parts.size()));
    const auto report = TrainingRun(options, nullptr, parts[fold]).run();
    std::error_code ignored;  // what is left over does no harm
    std::filesystem::remove_all(options.run_folder, ignored);
    if (!report) return report.error();
    // A fold without a readable photo tells nothing; one that was stopped, not what it was asked.
    if (report->stopped) {
      reporter_.report().lost_folder = report->lost_folder;
      return {};
    }
    const std::optional<double> measured =
        report->test_multi_label ? report->test_multi_label->mean_average_precision : report->test_accuracy;
    if (measured && report->test_photos > 0) accuracies.push_back(*measured);
    reporter_.end_stage(measured);
  }
  reporter_.report().cross_validation = summary_of("whole recipe", std::move(accuracies), reporter_.measure());
  return {};
}

}  // namespace fovea::training
