// SPDX-License-Identifier: Apache-2.0
#include "train_flags.h"

namespace fovea::cli {

void add_training_precision(CLI::App& app, PrecisionChoice& precision) {
  if (auto* of_all_verbs = app.get_option_no_throw("--precision")) app.remove_option(of_all_verbs);
  add_choice<PrecisionChoice>(app, "--precision", precision,
                              {{"auto", PrecisionChoice::kAuto},
                               {"fp32", PrecisionChoice::kFp32},
                               {"bf16", PrecisionChoice::kBf16},
                               {"tf32", PrecisionChoice::kTf32},
                               {"fp16", PrecisionChoice::kFp16}},
                              "of products while fine-tuning; auto: bf16 where the device multiplies it; tf32, fp16: GPUs alone");
}

void add_batchnorm(CLI::App& app, BatchNormMode& mode) {
  add_choice<BatchNormMode>(app, "--bn", mode,
                            {{"auto", BatchNormMode::kAuto}, {"frozen", BatchNormMode::kFrozen}, {"live", BatchNormMode::kLive}},
                            "BatchNorm statistics while training [auto]");
}

void add_fit(CLI::App& app, FitChoice& fit) {
  add_choice<FitChoice>(app, "--fit", fit,
                        {{"auto", FitChoice::kAuto},
                         {"letterbox", FitChoice::kLetterbox},
                         {"crop", FitChoice::kCrop},
                         {"squash", FitChoice::kSquash}},
                        "how a photo becomes a square [auto]");
}

}  // namespace fovea::cli
