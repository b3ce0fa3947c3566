// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "companion.h"
#include "fovea/version.h"

namespace fovea::cli {
namespace {

/// Help that reads like a sentence: `--lr N`, and the default in brackets behind the text.
class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::span<const Verb> verbs) : verbs_(verbs) {}
  /// In the list of verbs, a line each; of what stands below a verb, the first line of its description.
  std::string make_subcommand(const CLI::App* subcommand) const override {
    std::string text = subcommand->get_description();
    if (subcommand->get_parent()->get_parent() == nullptr) {
      const auto verb = std::ranges::find(verbs_, subcommand->get_name(), &Verb::name);
      text = verb == verbs_.end() ? "" : verb->summary;
    }
    return fmt::format("  {:<10} {}\n", subcommand->get_name(), text.substr(0, text.find('\n')));
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_type_size() == 0) return "";
    // A type name comes with its checks behind a colon: "FLOAT:FLOAT in [0 - 1]".
    std::string type = option->get_type_name();
    type = type.substr(0, type.find(':'));
    if (type == "INT" || type == "UINT" || type == "FLOAT") type = "N";
    if (type == "TEXT") type = option->get_positional() ? "" : "TEXT";
    return type.empty() ? "" : " " + type;
  }
  std::string make_option_desc(const CLI::Option* option) const override {
    const std::string fallback = option->get_default_str();
    return option->get_description() + (fallback.empty() ? "" : fmt::format(" [{}]", fallback));
  }

 private:
  std::span<const Verb> verbs_;
};

/// Letters to insert, drop or replace to make one word of the other (V. Levenshtein, 1966).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

int unknown_verb(std::span<const Verb> verbs, std::string_view word) {
  const auto nearest = std::ranges::min_element(verbs, {}, [&](const Verb& verb) { return edit_distance(word, verb.name); });
  constexpr std::size_t kSlip = 2;
  const std::string advice =
      edit_distance(word, nearest->name) <= kSlip ? fmt::format("; did you mean '{}'?", nearest->name) : std::string();
  fmt::print(stderr, "fovea: there is no verb '{}'{}\nTry 'fovea --help'.\n", word, advice);
  return kNothingDone;
}

/// Usage errors in the program's own words and with its own exit status.
int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* verb = app.get_subcommands().empty() ? &app : app.get_subcommands().front();
  const std::string name = verb == &app ? "fovea" : fmt::format("fovea {}", verb->get_name());
  fmt::print(stderr, "{}: {}\nTry '{} --help'.\n", name, error.what(), name);
  return fovea::cli::kNothingDone;
}

int run(std::span<const Verb> verbs, int argc, char** argv) {
  CLI::App app(
      "Trains an image classifier on your own photos, and puts it to work.\n\n"
      "  fovea train skies -o weather       skies: a folder with a folder of photos per class\n"
      "  fovea predict weather.safetensors today.jpg\n",
      "fovea");
  app.formatter(std::make_shared<HelpFormatter>(verbs));
  app.set_version_flag("--version", fmt::format("fovea {}", fovea::version()));
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  std::vector<std::pair<CLI::App*, Run>> runs;
  for (const Verb& verb : verbs) {
    if (verb.add == nullptr && argc > 1 && std::string_view(argv[1]) == verb.name) return become_companion(argv);
    CLI::App* subcommand = app.add_subcommand(verb.name, verb.summary);
    if (verb.add != nullptr) runs.emplace_back(subcommand, verb.add(*subcommand));
  }
  if (argc == 1) {
    fmt::print(stderr, "{}", app.help());
    return kNothingDone;
  }
  const std::string_view word = argv[1];
  if (!word.starts_with('-') && std::ranges::find(verbs, word, &Verb::name) == verbs.end()) return unknown_verb(verbs, word);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error);
  }
  for (const auto& [subcommand, run_verb] : runs) {
    if (subcommand->parsed()) return run_verb();
  }
  return kNothingDone;
}

}  // namespace

int run_program(std::span<const Verb> verbs, int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): a closed pipe shows as a failed write
  try {
    return run(verbs, argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("fovea: error: out of memory; a smaller --batch or --size needs less\n", stderr);
  } catch (const std::exception& error) {
    fmt::print(stderr, "fovea: error: {}\n", error.what());
  }
  return kNothingDone;
}

}  // namespace fovea::cli
