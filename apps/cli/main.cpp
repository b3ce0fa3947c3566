// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "fovea/version.h"
#include "verbs.h"

namespace {

using fovea::cli::Run;

struct Verb {
  const char* name;
  const char* summary;
  Run (*add)(CLI::App&);
};

constexpr Verb kVerbs[] = {
    {"train", "a folder of photos becomes a classifier", fovea::cli::add_train},
    {"predict", "what photos show", fovea::cli::add_predict},
    {"val", "how good a model is on photos with known labels", fovea::cli::add_val},
    {"check", "what is wrong, or looks wrong, with a folder of labelled photos", fovea::cli::add_check},
    {"plan", "how long training would take here, for each network", fovea::cli::add_plan},
    {"doctor", "what hardware is here, what will be used, and why not the rest", fovea::cli::add_doctor},
    {"watch", "a camera every ten minutes, its classes in a database", fovea::cli::add_watch},
    {"info", "what a model, a weight file, a photo or a folder of photos holds", fovea::cli::add_info},
    {"tag", "what photos show, written into their metadata as keywords", fovea::cli::add_tag},
    {"untag", "those keywords taken out again, byte for byte", fovea::cli::add_untag},
    {"find", "tagged photos by class, probability, date, camera and place", fovea::cli::add_find},
};

/// Help that reads like a sentence: `--lr N`, and the default in brackets behind the text.
class HelpFormatter : public CLI::Formatter {
 public:
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
};

/// Usage errors in the program's own words and with its own exit status.
int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* verb = app.get_subcommands().empty() ? &app : app.get_subcommands().front();
  const std::string name = verb == &app ? "fovea" : fmt::format("fovea {}", verb->get_name());
  fmt::print(stderr, "{}: {}\nTry '{} --help'.\n", name, error.what(), name);
  return fovea::cli::kNothingDone;
}

int run(int argc, char** argv) {
  CLI::App app(
      "Trains an image classifier on your own photos, and puts it to work.\n\n"
      "  fovea train photos -o weather      photos: a folder with a folder per class\n"
      "  fovea predict weather.safetensors today.jpg\n",
      "fovea");
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_version_flag("--version", fmt::format("fovea {}", fovea::version()));
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  std::vector<std::pair<CLI::App*, Run>> verbs;
  for (const Verb& verb : kVerbs) {
    CLI::App* subcommand = app.add_subcommand(verb.name, verb.summary);
    verbs.emplace_back(subcommand, verb.add(*subcommand));
  }
  if (argc == 1) {
    fmt::print(stderr, "{}", app.help());
    return fovea::cli::kNothingDone;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error);
  }
  for (const auto& [subcommand, verb] : verbs) {
    if (subcommand->parsed()) return verb();
  }
  return fovea::cli::kNothingDone;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): a closed pipe shows as a failed write
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("fovea: error: out of memory; a smaller --batch or --size needs less\n", stderr);
  } catch (const std::exception& error) {
    fmt::print(stderr, "fovea: error: {}\n", error.what());
  }
  return fovea::cli::kNothingDone;
}
