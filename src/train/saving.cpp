// Fovea: the model's file while training goes on, and in the end.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <utility>

#include "core/error.h"
#include "train/training_run.h"

namespace fovea::training {

Result<void> TrainingRun::keep_earlier_model() {
  std::error_code code;
  // What an interrupted run has written so far replaces no finished model.
  if (std::filesystem::exists(paths_.run_folder / "checkpoint" / kIdentityFile, code)) return {};
  FOVEA_ASSIGN(const std::filesystem::path old, keep_as_old(paths_.model));
  if (!old.empty())
    reporter_.note(fmt::format("the model that was {} before is kept as {}", paths_.model.string(), old.string()));
  return {};
}

Result<void> TrainingRun::save_so_far() {
  Result<void> saved = save_model(model_, paths_.model);
  if (!saved && !model_saved_) return saved;
  model_saved_ = true;
  if (!saved && !std::exchange(saving_failed_, true)) {
    reporter_.warning(fmt::format("{}; training goes on, and its result is written again later", saved.error().message));
  }
  return {};
}

Result<void> TrainingRun::save_in_the_end() {
  Result<void> saved = save_model(model_, paths_.model);
  if (saved) return {};
  std::error_code code;
  const std::filesystem::path folder = std::filesystem::temp_directory_path(code);
  std::filesystem::path elsewhere = folder / paths_.model.filename();
  for (int n = 2; std::filesystem::exists(elsewhere, code); ++n) {
    elsewhere = folder / fmt::format("{}-{}{}", paths_.model.stem().string(), n, paths_.model.extension().string());
  }
  if (!save_model(model_, elsewhere)) return saved;
  return fail(saved.error().kind, "{}; the finished model is in {} instead: make room, and move it to where it belongs",
              saved.error().message, elsewhere.string());
}

}  // namespace fovea::training
