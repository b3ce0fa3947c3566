// Fovea: the flags that every verb understands alike.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fovea::cli {

struct OutputFlags {
  bool json = false;
  bool quiet = false;
  bool verbose = false;
};
void add_output_flags(CLI::App& app, OutputFlags& flags);

struct ComputeFlags {
  std::string device = "auto";
  std::string precision = "auto";
  int threads = 0;
  bool deterministic = false;
};
void add_compute_flags(CLI::App& app, ComputeFlags& flags);
/// To the options of the library's function.
template <class Options>
void hand_on(const ComputeFlags& flags, Options& options) {
  options.device = flags.device;
  options.threads = flags.threads;
  options.deterministic = flags.deterministic;
}

/// Checks of values, in words that fit behind the flag's name: "'0' is not a whole number from 1 to 100".
[[nodiscard]] CLI::Validator whole_number(std::int64_t low, std::int64_t high);
[[nodiscard]] CLI::Validator number(double low, double high);
[[nodiscard]] CLI::Validator above_zero();
[[nodiscard]] CLI::Validator zero_or_more();
[[nodiscard]] CLI::Validator device_name();  ///< that such a device may be; whether it is there shows later
[[nodiscard]] CLI::Validator one_of(const std::vector<std::string>& words);

/// `--seed N`.
void add_seed(CLI::App& app, std::uint64_t& seed, const std::string& text);

/// A flag whose value is one of a few words: `--fit letterbox|crop|squash`.
template <class Enum, class Target>
CLI::Option* add_choice(CLI::App& app, const std::string& name, Target& value, const std::map<std::string, Enum>& words,
                        const std::string& text) {
  std::vector<std::string> list;
  std::string joined;
  for (const auto& [word, meaning] : words) {
    list.push_back(word);
    joined += (joined.empty() ? "" : "|") + word;
  }
  return app
      .add_option_function<std::string>(
          name, [&value, words](const std::string& word) { value = words.at(word); }, text)
      ->check(one_of(list))
      ->type_name(joined);
}

}  // namespace fovea::cli
