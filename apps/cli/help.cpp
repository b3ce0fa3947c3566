// SPDX-License-Identifier: Apache-2.0
#include "help.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "console.h"

namespace fovea::cli {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kTextColumn = 26;  ///< where the text of a flag begins; a longer flag has a line of its own

class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::span<const Verb> verbs) : verbs_(verbs) {
    label("OPTIONS", "FLAGS");
    label("SUBCOMMAND", "VERB");
  }

  std::string make_description(const CLI::App* app) const override { return app->get_description() + "\n\n"; }

  /// In the list of verbs, a line each; of what stands below a verb, the first line of its description.
  std::string make_subcommand(const CLI::App* subcommand) const override {
    std::string text = subcommand->get_description();
    if (subcommand->get_parent()->get_parent() == nullptr) {
      const auto verb = std::ranges::find(verbs_, subcommand->get_name(), &Verb::name);
      text = verb == verbs_.end() ? "" : verb->summary;
    }
    return fmt::format("  {:<10} {}\n", subcommand->get_name(), text.substr(0, text.find('\n')));
  }

  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    const std::string left = "  " + make_option_name(option, is_positional) + make_option_opts(option);
    const std::string text = wrapped(make_option_desc(option), kWidth - kTextColumn, kTextColumn);
    if (columns(left) + 2 > kTextColumn) return fmt::format("{}\n{:{}}{}\n", left, "", kTextColumn, text);
    return fmt::format("{:<{}}{}\n", left, kTextColumn, text);
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_type_size() == 0) return "";
    // A type name comes with its checks behind a colon: "FLOAT:FLOAT in [0 - 1]".
    std::string type = option->get_type_name();
    type = type.substr(0, type.find(':'));
    if (type == "INT" || type == "UINT" || type == "FLOAT") type = "N";
    if (type == "TEXT" && option->get_positional()) type = "";
    return type.empty() ? "" : " " + type;
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    const std::string fallback = option->get_default_str();
    return option->get_description() + (fallback.empty() ? "" : fmt::format(" [{}]", fallback));
  }

 private:
  std::span<const Verb> verbs_;
};

}  // namespace

std::shared_ptr<CLI::Formatter> help_formatter(std::span<const Verb> verbs) { return std::make_shared<HelpFormatter>(verbs); }

}  // namespace fovea::cli
