// Fovea: the flags of training that other verbs take too, which plan or measure it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "flags.h"
#include "fovea/trainer.h"

namespace fovea::cli {

/// `--precision` of training, which knows more words than that of add_compute_flags: it takes that one's place.
void add_training_precision(CLI::App& app, PrecisionChoice& precision);
/// `--bn auto|frozen|live`.
void add_batchnorm(CLI::App& app, BatchNormMode& mode);
/// `--fit auto|letterbox|crop|squash`.
void add_fit(CLI::App& app, FitChoice& fit);

}  // namespace fovea::cli
