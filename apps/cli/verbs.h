// Fovea: the verbs of the program. Each adds its flags to a subcommand and gives back what runs it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace fovea::cli {

/// Exit statuses, the same for every verb.
inline constexpr int kDone = 0;
inline constexpr int kSomeFailed = 1;
inline constexpr int kNothingDone = 2;

using Run = std::function<int()>;

Run add_train(CLI::App& app);
Run add_predict(CLI::App& app);
Run add_val(CLI::App& app);
Run add_check(CLI::App& app);
Run add_plan(CLI::App& app);
Run add_doctor(CLI::App& app);
Run add_bench(CLI::App& app);
Run add_scale(CLI::App& app);
Run add_watch(CLI::App& app);
Run add_annotate(CLI::App& app);
Run add_info(CLI::App& app);
Run add_tag(CLI::App& app);
Run add_untag(CLI::App& app);
Run add_find(CLI::App& app);

}  // namespace fovea::cli
