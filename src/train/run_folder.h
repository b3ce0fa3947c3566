// Fovea: the folder that a training run works in: that it is one, that no other run works there or at the same
// model, what killed ones have left.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "core/file_lock.h"
#include "fovea/result.h"

namespace fovea::training {

/// For as long as the training lives. kUsage where another training works in the folder. Where the file system knows no locks
/// there is none.
Result<FileLock> lock_run_folder(const std::filesystem::path& folder);

/// The same for the model, whatever run folder goes with it.
Result<FileLock> lock_model(const std::filesystem::path& model);

/// kUsage where the folder is there and somebody else's: with a log, metrics or a checkpoint that no run of Fovea has written,
/// all of which a run replaces.
Result<void> check_run_folder(const std::filesystem::path& folder);

/// Removes what writing `file` has left where it was killed meanwhile; of everything in a folder. Nobody may be writing it.
void remove_unfinished(const std::filesystem::path& file);
void remove_all_unfinished(const std::filesystem::path& folder);

/// The file of a finished run gets '.old' before its extension, over that of an earlier one; it stays where it is too, until it
/// is replaced. Gives the second name; empty where there was no file.
Result<std::filesystem::path> keep_as_old(const std::filesystem::path& file);

}  // namespace fovea::training
