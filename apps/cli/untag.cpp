// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "console.h"
#include "fovea/archive.h"
#include "fovea/figures.h"
#include "signals.h"
#include "verbs.h"

namespace fovea::cli {
namespace {

struct UntagFlags {
  UntagOptions options;
  OutputFlags output;
};

class UntagView final : public ArchiveObserver {
 public:
  explicit UntagView(Console& console) : console_(console) {}
  void on_failure(const std::filesystem::path& photo, const Error& error) override {
    if (console_.json()) console_.print_json({{"path", photo.string()}, {"error", error.message}});
    console_.error(error.message);
  }
  void on_progress(const Progress& progress) override { console_.progress(progress); }

 private:
  Console& console_;
};

int untag(UntagFlags& flags) {
  Console console("untag", flags.output);
  UntagView view(console);
  flags.options.stop = &stop_on_signals();
  const auto report = untag_photos(flags.options, &view);
  if (!report) return console.fail(report.error());
  for (const UntaggedPhoto& file : report->files) {
    if (console.json()) {
      console.print_json({{"path", file.photo.string()}, {"file", file.file.string()}, {"how", name_of(file.how)}});
    } else if (flags.options.dry_run || console.verbose() || file.how == UntaggedPhoto::How::kTakenOut) {
      console.print(fmt::format("{}  {}{}", file.file.string(), name_of(file.how),
                                file.how == UntaggedPhoto::How::kTakenOut ? ": its earlier bytes are not known" : ""));
    }
  }
  const auto count = [&](UntaggedPhoto::How how) { return std::ranges::count(report->files, how, &UntaggedPhoto::how); };
  const auto total = static_cast<std::int64_t>(report->files.size());
  if (total == 0 && report->failed == 0 && report->absent == 0) {
    console.note("nothing there that 'fovea tag' has written");
    return kDone;
  }
  std::string parts;
  const auto add = [&](std::int64_t number, std::string_view text) {
    if (number > 0) parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", number, text);
  };
  add(count(UntaggedPhoto::How::kRestored), "as before");
  const std::int64_t deleted = count(UntaggedPhoto::How::kDeleted);
  add(deleted, deleted == 1 ? "sidecar deleted" : "sidecars deleted");
  add(count(UntaggedPhoto::How::kTakenOut), "without Fovea's keywords");
  add(report->failed, "left alone");
  add(report->absent, "not there");
  console.note(fmt::format("{} {}: {}", counted(total, "file"), flags.options.dry_run ? "would be untagged" : "untagged", parts));
  if (report->stopped) console.warn("stopped; the same command goes on from here");
  if (report->failed == 0 && report->absent == 0 && !report->stopped) return kDone;
  return total > 0 ? kSomeFailed : kNothingDone;
}

}  // namespace

Run add_untag(CLI::App& app) {
  auto flags = std::make_shared<UntagFlags>();
  app.description(
      "Takes back what 'fovea tag' has written: sidecars that it made go, files that it\n"
      "changed get their earlier bytes again. From a file that others have changed\n"
      "since, or that another catalogue knows, only Fovea's keywords are taken out.\n"
      "Photos that were moved are found too.\n\n"
      "  fovea untag new --dry-run\n"
      "  fovea untag new");
  app.add_option("PATH", flags->options.paths, "photos and folders of photos")->required();
  app.add_flag("--dry-run", flags->options.dry_run, "show what would be done, and do nothing");
  app.add_option("--catalog", flags->options.catalog, "the catalogue, if not the user's own")->type_name("FILE");
  add_output_flags(app, flags->output);
  return [flags] { return untag(*flags); };
}

}  // namespace fovea::cli
