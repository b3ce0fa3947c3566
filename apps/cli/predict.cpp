// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "console.h"
#include "fovea/classifier.h"
#include "fovea/figures.h"
#include "fovea/inspect.h"
#include "fovea/named_folders.h"
#include "signals.h"
#include "verbs.h"

namespace fovea::cli {
namespace {

namespace fs = std::filesystem;

struct PredictFlags {
  fs::path model;
  std::vector<std::string> paths;
  int top = 3;
  fs::path explain;  ///< picture, or folder of pictures, with heat maps; empty: none
  ComputeFlags compute;
  OutputFlags output;
};

/// What the run comes to: exit status from successes and failures.
struct Tally {
  std::int64_t done = 0;
  std::int64_t failed = 0;
  [[nodiscard]] int status() const { return failed == 0 ? kDone : done == 0 ? kNothingDone : kSomeFailed; }
};

/// How answers are shown.
struct Style {
  int top = 3;
  bool multi_label = false;  ///< labels rather than the most probable classes
  std::size_t path_width = 1;
};

std::span<const Prediction> first_of(const std::vector<Prediction>& predictions, int count) {
  return std::span(predictions).first(std::min(predictions.size(), static_cast<std::size_t>(count)));
}

void show(Console& console, const std::string& path, const Answer& answer, const Style& style) {
  if (console.json()) {
    nlohmann::ordered_json predictions = nlohmann::ordered_json::array();
    for (const Prediction& p : first_of(answer.predictions, style.top))
      predictions.push_back({{"label", p.label}, {"probability", p.probability}});
    nlohmann::ordered_json object{{"path", path}, {"predictions", predictions}, {"rejected", answer.rejected}};
    if (style.multi_label) {
      object["labels"] = nlohmann::ordered_json::array();
      for (const Prediction& p : answer.labels) object["labels"].push_back(p.label);
    }
    return console.print_json(object);
  }
  std::string line = fitted(in_line(path), style.path_width, Cut::kInFront);
  if (answer.rejected) line += "  unknown;";
  if (style.multi_label && answer.labels.empty()) line += "  (no label)";
  const std::span<const Prediction> shown =
      style.multi_label ? std::span<const Prediction>(answer.labels) : first_of(answer.predictions, style.top);
  for (const Prediction& p : shown) line += fmt::format("  {:>7} {}", percent(p.probability), p.label);
  console.print(line);
}

void show_failure(Console& console, const std::string& path, const Error& error) {
  if (console.json()) console.print_json({{"path", path}, {"error", error.message}});
  console.error(error.message);
}

/// A JPEG (or any other photo) from standard input, at most as long as a photo file may be.
Result<std::vector<std::byte>> read_stdin() {
  constexpr std::size_t kLimit = std::size_t{512} << 20;
  std::vector<std::byte> bytes;
  std::byte block[65536];
  while (const std::size_t count = std::fread(block, 1, sizeof block, stdin)) {
    bytes.insert(bytes.end(), block, block + count);
    if (bytes.size() > kLimit) return Error{Error::Kind::kLimit, fmt::format("-: more than {} bytes on standard input", kLimit)};
  }
  return bytes;
}

void predict_stdin(Console& console, Classifier& classifier, const PredictFlags& flags, Tally& tally) {
  const auto bytes = read_stdin();
  const auto answer = bytes ? classifier.classify(*bytes) : Result<Answer>(bytes.error());
  if (answer) {
    show(console, "-", *answer, {flags.top, classifier.multi_label()});
    ++tally.done;
  } else {
    // What reads bytes does not know where they come from.
    const Error& error = answer.error();
    show_failure(console, "-", {error.kind, (error.message.starts_with("-: ") ? "" : "-: ") + error.message});
    ++tally.failed;
  }
}

/// Photos named by files and folders, in the order given.
std::vector<fs::path> gather(Console& console, const std::vector<std::string>& paths, Tally& tally) {
  std::vector<fs::path> photos;
  for (const std::string& path : paths) {
    if (path == "-") continue;
    auto found = find_photos(path);
    if (!found) {
      show_failure(console, path, found.error());
      ++tally.failed;
      continue;
    }
    photos.insert(photos.end(), found->begin(), found->end());
  }
  return photos;
}

/// Where the answers go to a file, a person sees how far it is.
void show_progress(Console& console, const Tally& tally, std::size_t photos, std::chrono::steady_clock::time_point begin) {
  Progress progress{"photos", tally.done + tally.failed, static_cast<std::int64_t>(photos)};
  progress.keep_time(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  console.progress(progress);
}

/// Where what was named lies.
NamedFolders folders_of(const std::vector<std::string>& paths) {
  std::set<fs::path> folders;
  std::error_code error;
  for (const std::string& path : paths) {
    if (path == "-") continue;
    const fs::path parent = fs::path(path).parent_path();
    folders.insert(fs::is_directory(path, error) ? fs::path(path) : parent.empty() ? fs::path(".") : parent);
  }
  return NamedFolders(std::vector<fs::path>(folders.begin(), folders.end()));
}

/// The answer for a photo, or why there is none. False: no more is wanted, or to be had, as the one line says of a drive that is
/// gone.
bool show_next(Console& console, const fs::path& photo, std::size_t left, const Result<Answer>& answer, const Style& style,
               NamedFolders& folders, Tally& tally) {
  folders.tell(photo, answer.ok());
  if (answer) {
    show(console, photo.string(), *answer, style);
    ++tally.done;
    return true;
  }
  ++tally.failed;
  if (!folders.lost()) {
    show_failure(console, photo.string(), answer.error());
    return true;
  }
  console.error(folders
                    .stopped(fmt::format(", {} not looked at: ask again when it is there",
                                         counted(static_cast<std::int64_t>(left), "photo")))
                    .message);
  return false;
}

void predict_files(Console& console, Classifier& classifier, const PredictFlags& flags, std::span<const fs::path> photos,
                   Tally& tally) {
  const std::atomic<bool>& stop = stop_on_signals();
  NamedFolders folders = folders_of(flags.paths);
  std::size_t width = 0;
  for (const fs::path& photo : photos) width = std::max(width, columns(photo.string()));
  width = std::min<std::size_t>(width, 48);
  const auto begin = std::chrono::steady_clock::now();
  classifier.classify_files(photos, [&](std::size_t index, const Result<Answer>& answer) {
    const Style style{flags.top, classifier.multi_label(), width};
    if (!show_next(console, photos[index], photos.size() - index, answer, style, folders, tally)) return false;
    if (!console.data_is_seen()) show_progress(console, tally, photos.size(), begin);
    return !stop.load() && !console.closed();
  });
  console.clear_progress();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (stop.load())
    console.warn(fmt::format("stopped after {} of {}", tally.done + tally.failed,
                             counted(static_cast<std::int64_t>(photos.size()), "photo")));
  if (photos.size() > 1 && console.verbose()) {
    console.note(fmt::format("{} in {}: {:.1f} a second", counted(tally.done, "photo"), duration(seconds),
                             static_cast<double>(tally.done) / seconds));
  }
}

/// The picture for each photo: `explain` itself for a single one if it is named as a picture, else files named after the photos
/// in this folder, which is made. None of them is a photo that is to be read.
Result<std::vector<fs::path>> pictures_for(const fs::path& explain, std::span<const fs::path> photos) {
  std::error_code error;
  if (photos.size() == 1 && explain.has_extension() && !fs::is_directory(explain, error)) return std::vector{explain};
  fs::create_directories(explain, error);
  if (error) return Error{Error::Kind::kIo, fmt::format("--explain {}: {}", explain.string(), error.message())};
  std::set<fs::path> read;
  for (const fs::path& photo : photos) read.insert(fs::weakly_canonical(photo, error));
  std::vector<fs::path> pictures;
  std::set<fs::path> taken;
  for (const fs::path& photo : photos) {
    const std::string stem = photo.stem().string();
    fs::path picture = explain / (stem + ".heat.jpg");
    for (int n = 2; taken.contains(picture) || read.contains(fs::weakly_canonical(picture, error)); ++n) {
      picture = explain / fmt::format("{}-{}.heat.jpg", stem, n);
    }
    taken.insert(picture);
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

void explain_files(Console& console, Classifier& classifier, const PredictFlags& flags, std::span<const fs::path> photos,
                   std::span<const fs::path> pictures, Tally& tally) {
  const std::atomic<bool>& stop = stop_on_signals();
  NamedFolders folders = folders_of(flags.paths);
  for (std::size_t i = 0; i < photos.size() && !stop.load() && !console.closed(); ++i) {
    const auto answer = classifier.explain_file(photos[i], pictures[i]);
    const Style style{flags.top, classifier.multi_label(), columns(photos[i].string())};
    if (!show_next(console, photos[i], photos.size() - i, answer, style, folders, tally)) return;
    if (answer) console.note("  " + pictures[i].string());
  }
}

int predict(const PredictFlags& flags) {
  Console console("predict", flags.output);
  Tally tally;
  auto classifier = Classifier::open(flags.model, {flags.compute.device, flags.compute.threads, flags.compute.deterministic});
  if (!classifier) return console.fail(classifier.error());
  console.note(wrapped("device: " + classifier->device(), 78, 2));
  const std::vector<fs::path> photos = gather(console, flags.paths, tally);
  const bool from_stdin = std::ranges::find(flags.paths, "-") != flags.paths.end();
  if (from_stdin && !flags.explain.empty()) {
    return console.fail({Error::Kind::kUsage, "--explain works on files: '-' has no name for its picture"});
  }
  if (from_stdin) predict_stdin(console, *classifier, flags, tally);
  if (flags.explain.empty()) {
    predict_files(console, *classifier, flags, photos, tally);
  } else if (!photos.empty()) {
    const auto pictures = pictures_for(flags.explain, photos);
    if (!pictures) return console.fail(pictures.error());
    explain_files(console, *classifier, flags, photos, *pictures, tally);
  }
  return tally.status();
}

}  // namespace

Run add_predict(CLI::App& app) {
  auto flags = std::make_shared<PredictFlags>();
  app.description(
      "What photos show.\n\n"
      "  fovea predict weather.safetensors today.jpg new\n"
      "  fovea predict weather.safetensors - --json < today.jpg");
  app.add_option("MODEL", flags->model, "a model made by 'fovea train', or an Ultralytics classification checkpoint")->required();
  app.add_option("PATH", flags->paths, "photos and folders of photos; '-' reads one from standard input")->required();
  app.add_option("--top", flags->top, "how many classes to show; of photos with any number of labels in JSON only")
      ->check(whole_number(1, 100000))
      ->capture_default_str();
  app.add_option("--explain", flags->explain,
                 "also write the photo with a map of where the network looked: a .png or .jpg, or a folder for several")
      ->type_name("PATH");
  add_compute_flags(app, flags->compute);
  add_output_flags(app, flags->output);
  return [flags] { return predict(*flags); };
}

}  // namespace fovea::cli
