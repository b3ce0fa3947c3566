// Fovea: everything of a training run that can be settled, or refused, before any photo is opened.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "core/context.h"
#include "data/dataset.h"
#include "fovea/trainer.h"
#include "model/model_file.h"
#include "runtime/device.h"
#include "train/head_regression.h"
#include "train/run_folder.h"

namespace fovea::training {

struct RunPaths {
  std::filesystem::path model;
  std::filesystem::path run_folder;
  FileLock model_lock;
  FileLock folder_lock;
};

/// Names completed; the run folder made and found to be one, it and the model locked; both places tried by writing, and the room
/// on the disk compared with the model's size.
Result<RunPaths> prepare_paths(const TrainOptions& options);

/// The given weights, or where the architecture's own are kept by default; kNotFound says how to get them.
Result<std::filesystem::path> find_weights(const TrainOptions& options);

/// kUsage for numbers that make no sense.
Result<void> check_options(const TrainOptions& options);

/// An untrained model of the wanted architecture, size, head and classes: pretrained backbone, fresh head.
Result<Model> make_model(const TrainOptions& options, const std::vector<std::string>& classes);

/// Copy of everything, weights included.
[[nodiscard]] Result<ParameterSet> copy_parameters(const NetworkSpec& spec, const ParameterSet& from);

/// Puts a solved last layer into the parameters.
void set_head(const NetworkSpec& spec, const LinearHead& head, ParameterSet& parameters);

}  // namespace fovea::training
