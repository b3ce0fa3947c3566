// Fovea: the flags that every verb understands alike.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <map>
#include <string>

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

/// A flag whose value is one of a few words: `--fit letterbox|crop|squash`.
template <class Enum, class Target>
CLI::Option* add_choice(CLI::App& app, const std::string& name, Target& value, const std::map<std::string, Enum>& words,
                        const std::string& text) {
  std::string list;
  for (const auto& [word, meaning] : words) list += (list.empty() ? "" : "|") + word;
  return app
      .add_option_function<std::string>(
          name, [&value, words](const std::string& word) { value = words.at(word); }, text)
      ->check(CLI::Validator(
          [words, list](const std::string& word) {
            return words.contains(word) ? std::string() : "'" + word + "' is not one of " + list;
          },
          ""))
      ->type_name(list);
}

}  // namespace fovea::cli
