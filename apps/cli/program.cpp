// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "companion.h"
#include "complaint.h"
#include "fovea/version.h"
#include "help.h"

namespace fovea::cli {
namespace {

/// `fovea help VERB` as `fovea VERB --help`, and `fovea help` as `fovea --help`.
std::vector<const char*> asked(int argc, char** argv) {
  std::vector<const char*> words(argv, argv + argc);
  if (argc > 1 && std::string_view(argv[1]) == "help") {
    words.erase(words.begin() + 1);
    words.push_back("--help");
  }
  words.push_back(nullptr);
  return words;
}

/// The status of a verb whose results have all reached standard output; one whose reader has gone away, or that was closed,
/// wanted no more of them.
int with_output(int status) {
  pollfd reader{STDOUT_FILENO, POLLOUT, 0};
  const bool lost = std::ferror(stdout) != 0 && ::poll(&reader, 1, 0) >= 0 && (reader.revents & (POLLERR | POLLNVAL)) == 0;
  return lost ? std::max(status, kSomeFailed) : status;
}

int run(std::span<const Verb> verbs, const std::vector<const char*>& words) {
  const int argc = static_cast<int>(words.size()) - 1;
  const char* const* argv = words.data();
  CLI::App app(
      "Trains an image classifier on your own photos, and puts it to work.\n\n"
      "  fovea train skies -o weather   skies: a folder of photos for each class\n"
      "  fovea predict weather.safetensors today.jpg",
      "fovea");
  app.formatter(help_formatter(verbs));
  app.set_help_flag("-h,--help", "this text");
  app.set_version_flag("--version", fmt::format("fovea {}", fovea::version()), "the program's version");
  app.require_subcommand(1);
  std::vector<std::pair<CLI::App*, Run>> runs;
  for (const Verb& verb : verbs) {
    if (verb.add == nullptr && argc > 1 && std::string_view(argv[1]) == verb.name) return become_companion(argv);
    CLI::App* subcommand = app.add_subcommand(verb.name, verb.summary)->group("Verbs");
    if (verb.add != nullptr) runs.emplace_back(subcommand, verb.add(*subcommand));
  }
  app.footer("'fovea VERB --help' tells what a verb does and understands.");
  if (argc == 1) {
    fmt::print(stderr, "{}", app.help());
    return kNothingDone;
  }
  const std::string_view word = argv[1];
  if (!word.starts_with('-') && std::ranges::find(verbs, word, &Verb::name) == verbs.end()) return complain_of_verb(verbs, word);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return complain(app, error);
  }
  for (const auto& [subcommand, run_verb] : runs) {
    if (subcommand->parsed()) return with_output(run_verb());
  }
  return kNothingDone;
}

}  // namespace

int run_program(std::span<const Verb> verbs, int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): a closed pipe shows as a failed write
  std::signal(SIGXFSZ, SIG_IGN);  // NOLINT(cert-err33-c): and so does a file that may not grow
  try {
    return run(verbs, asked(argc, argv));
  } catch (const std::bad_alloc&) {
    std::fputs("fovea: error: out of memory; a smaller --batch or --size needs less\n", stderr);
  } catch (const std::system_error& error) {
    const bool threads = error.code() == std::errc::resource_unavailable_try_again;
    fmt::print(stderr, "fovea: error: {}{}\n", error.what(),
               threads ? ": the system starts no further thread for this user; fewer --threads need less" : "");
  } catch (const std::exception& error) {
    fmt::print(stderr, "fovea: error: {}\n", error.what());
  }
  return kNothingDone;
}

}  // namespace fovea::cli
