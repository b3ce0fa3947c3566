// SPDX-License-Identifier: Apache-2.0
#include "flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>

namespace fovea::cli {
namespace {

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// `range`: "from 1 to 100".
template <class Number>
CLI::Validator checked(Number low, Number high, std::string_view kind, std::string_view range) {
  return CLI::Validator(
      [low, high, kind, range = std::string(range)](const std::string& text) {
        const auto value = number_of<Number>(text);
        return value && *value >= low && *value <= high ? std::string() : fmt::format("'{}' is not a {} {}", text, kind, range);
      },
      "");
}

}  // namespace

CLI::Validator whole_number(std::int64_t low, std::int64_t high) {
  return checked(low, high, "whole number", fmt::format("from {} to {}", low, high));
}

void add_seed(CLI::App& app, std::uint64_t& seed, const std::string& text) {
  app.add_option("--seed", seed, text)->check(whole_number(0, std::numeric_limits<std::int64_t>::max()))->capture_default_str();
}

CLI::Validator number(double low, double high) { return checked(low, high, "number", fmt::format("from {} to {}", low, high)); }

CLI::Validator above_zero() {
  return checked(std::numeric_limits<double>::min(), std::numeric_limits<double>::max(), "number", "above 0");
}

CLI::Validator zero_or_more() { return checked(0.0, std::numeric_limits<double>::max(), "number", "of 0 or more"); }

CLI::Validator device_name() {
  return CLI::Validator(
      [](const std::string& text) {
        const std::string kind = text.substr(0, text.find(':'));
        return kind == "auto" || kind == "cpu" || kind == "cuda"
                   ? std::string()
                   : fmt::format("'{}' is not a device: expected auto, cpu, cuda or cuda:N", text);
      },
      "");
}

CLI::Validator one_of(const std::vector<std::string>& words) {
  return CLI::Validator(
      [words](const std::string& word) {
        return std::ranges::find(words, word) != words.end() ? std::string()
                                                             : fmt::format("'{}' is not one of {}", word, fmt::join(words, ", "));
      },
      "");
}

void add_output_flags(CLI::App& app, OutputFlags& flags) {
  app.add_flag("--json", flags.json,
               "one JSON object a line on standard output; of a name that is not UTF-8, path_bytes is the base64");
  auto* quiet = app.add_flag("-q,--quiet", flags.quiet, "only results and errors");
  app.add_flag("-v,--verbose", flags.verbose, "more about what is done and why")->excludes(quiet);
}

void add_compute_flags(CLI::App& app, ComputeFlags& flags) {
  app.add_option("--device", flags.device, "auto, cpu, cuda or cuda:N; one that cannot be used ends the program")
      ->check(device_name())
      ->type_name("DEVICE")
      ->capture_default_str();
  app.add_option("--precision", flags.precision, "of the arithmetic")
      ->check(one_of({"auto", "fp32"}))
      ->type_name("auto|fp32")
      ->capture_default_str();
  app.add_option("--threads", flags.threads, "threads to compute with; 0: every processor")
      ->check(whole_number(0, 1024))
      ->capture_default_str();
  app.add_flag("--deterministic", flags.deterministic, "the same bits whatever the number of threads");
}

}  // namespace fovea::cli
