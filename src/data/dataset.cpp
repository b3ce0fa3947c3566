// SPDX-License-Identifier: Apache-2.0
#include "data/dataset.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "core/error.h"
#include "data/layouts.h"
#include "data/photo_files.h"
#include "data/text.h"
#include "fovea/named_folders.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

template <class Splits>
std::vector<Sample>& samples_of(Splits& of, Split split) {
  return split == Split::kTrain ? of.train : split == Split::kVal ? of.val : of.test;
}

bool means_none(const std::string& label) {
  const std::string lower = lower_case(label);
  return lower == "none" || lower == "background";
}

// Takes the classes that mean "none of these" out of the names, unless too little would be left to choose from.
void take_none_out(std::set<std::string>& names) {
  constexpr std::ptrdiff_t kFewestClasses = 2;
  const auto none = std::ranges::count_if(names, means_none);
  if (static_cast<std::ptrdiff_t>(names.size()) - none >= kFewestClasses) std::erase_if(names, means_none);
}

// Names travel in the model file, which is UTF-8, and are printed on a line.
Result<void> check_names(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (printable(name, name.size()) != name) {
      return fail(Error::Kind::kFormat, "class \"{}\": control characters or not UTF-8; rename it", printable(name));
    }
  }
  return {};
}

Result<void> number_classes(const std::vector<NamedSample>& found, Dataset& dataset) {
  std::set<std::string> names;
  for (const NamedSample& sample : found) names.insert(sample.labels.begin(), sample.labels.end());
  take_none_out(names);
  dataset.classes.assign(names.begin(), names.end());
  FOVEA_TRY(check_names(dataset.classes));
  for (const NamedSample& sample : found) {
    Sample numbered{sample.path, {}};
    for (const std::string& label : sample.labels) {
      if (!names.contains(label)) continue;
      const auto position = std::lower_bound(dataset.classes.begin(), dataset.classes.end(), label);
      numbered.labels.push_back(static_cast<int>(position - dataset.classes.begin()));
    }
    if (numbered.labels.empty() && !sample.labels.empty()) {
      samples_of(dataset.none, sample.split).push_back(std::move(numbered));
      continue;
    }
    dataset.multi_label = dataset.multi_label || numbered.labels.size() != 1;
    std::sort(numbered.labels.begin(), numbered.labels.end());
    samples_of(dataset, sample.split).push_back(std::move(numbered));
  }
  for (const Split split : kSplits) {
    if (dataset.multi_label) {  // each class is asked for by itself, so there is something to learn from what shows none
      std::vector<Sample> none = std::exchange(samples_of(dataset.none, split), {});
      std::ranges::move(none, std::back_inserter(samples_of(dataset, split)));
    }
    for (std::vector<Sample>* samples : {&samples_of(dataset, split), &samples_of(dataset.none, split)}) {
      std::ranges::sort(
          *samples, std::less(), [](const Sample& sample) -> const auto& { return sample.path.native(); });
    }
  }
  return {};
}

// Classes with photos in `some` but none in `others`.
std::vector<std::string> only_in(const Dataset& dataset, const std::vector<Sample>& some, const std::vector<Sample>& others) {
  const auto here = count_per_class(some, dataset.class_count());
  const auto there = count_per_class(others, dataset.class_count());
  std::vector<std::string> names;
  for (std::size_t k = 0; k < dataset.classes.size(); ++k) {
    if (here[k] > 0 && there[k] == 0) names.push_back(dataset.classes[k]);
  }
  return names;
}

// Two spellings of one class are two classes; a person should know.
void note_spellings(const Dataset& dataset, Notes& notes) {
  std::map<std::string, std::vector<std::string>> spellings;
  for (const std::string& name : dataset.classes) spellings[lower_case(name)].push_back(name);
  for (const auto& [lower, names] : spellings) {
    if (names.size() > 1) notes.say(fmt::format("different classes, by upper and lower case alone: {}", fmt::join(names, ", ")));
  }
}

void note_lonely_classes(const Dataset& dataset, Notes& notes) {
  if (dataset.train.empty()) return;
  const auto say = [&](std::string_view here, std::string_view there, const std::vector<std::string>& names) {
    if (!names.empty()) notes.say(fmt::format("only in {}, not in {}: {}", here, there, fmt::join(names, ", ")));
  };
  for (const auto& [name, other] : {std::pair{"val", &dataset.val}, std::pair{"test", &dataset.test}}) {
    if (other->empty()) continue;
    say("train", name, only_in(dataset, dataset.train, *other));
    say(name, "train", only_in(dataset, *other, dataset.train));
  }
}

Result<FoundPhotos> find(const fs::path& path, const ScanOptions& options, Notes& notes) {
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  if (!fs::exists(status)) return fail(Error::Kind::kNotFound, "{}: no such folder or CSV", path.string());
  if (fs::is_directory(status)) return read_folders(path, options, notes);
  if (lower_case(path.extension().native()) != ".csv" && is_photo(path)) {
    return fail(Error::Kind::kUsage, "{}: a photo, {}", path.string(), kLayoutsUnderstood);
  }
  return read_csv(path, options, notes);
}

}  // namespace

std::string_view name_of(Split split) { return split == Split::kTrain ? "train" : split == Split::kVal ? "val" : "test"; }

std::optional<Split> split_from(std::string_view name) {
  const std::string lower = lower_case(name);
  if (lower == "train") return Split::kTrain;
  if (lower == "val" || lower == "validation" || lower == "valid") return Split::kVal;
  if (lower == "test") return Split::kTest;
  return std::nullopt;
}

Result<Dataset> scan_dataset(const fs::path& path, const ScanOptions& options) {
  Notes notes;
  std::vector<fs::path> given{path};
  given.insert(given.end(), options.more.begin(), options.more.end());
  NamedFolders folders(given);
  FOVEA_ASSIGN(FoundPhotos found, find(path, options, notes));
  for (const fs::path& further : options.more) {
    FOVEA_ASSIGN(FoundPhotos more, find(further, options, notes));
    for (NamedSample& sample : more.samples) {
      sample.split = Split::kTrain;
      found.samples.push_back(std::move(sample));
    }
  }
  for (const SkippedPhoto& missing : notes.missing()) folders.tell(missing.path, false);
  if (folders.lost()) return folders.stopped(" before its photos were found");
  if (options.multi_label && found.layout != Layout::kCsv) merge_copies(found.samples, notes);
  Dataset dataset;
  dataset.multi_label = options.multi_label;
  dataset.root = path;
  dataset.layout = found.layout;
  FOVEA_TRY(number_classes(found.samples, dataset));
  if (dataset.classes.empty()) {
    return fail(Error::Kind::kUsage, "{}: no photo with a class; found {}; {}", path.string(),
                notes.anything_passed_over() ? notes.passed_over() : "nothing", kLayoutsUnderstood);
  }
  if (options.strict && notes.anything_passed_over()) {
    return fail(Error::Kind::kFormat, "{}: {}", path.string(), notes.passed_over());
  }
  note_spellings(dataset, notes);
  note_lonely_classes(dataset, notes);
  if (const std::size_t none = dataset.none.train.size() + dataset.none.val.size() + dataset.none.test.size(); none > 0) {
    notes.say(fmt::format("{} photos of none of the classes: they say what is to be rejected", none));
  }
  dataset.notes = notes.lines();
  dataset.missing = notes.missing();
  return dataset;
}

std::vector<fs::path> folders_of(const Dataset& dataset) {
  constexpr std::size_t kMost = 100;
  std::vector<fs::path> folders{dataset.root};
  std::set<fs::path> known;
  const std::string below = (dataset.root / "").native();
  for (const auto* samples : {&dataset.train, &dataset.val, &dataset.test}) {
    for (const Sample& sample : *samples) {
      if (folders.size() > kMost) return folders;
      if (sample.path.native().starts_with(below) || !known.insert(sample.path.parent_path()).second) continue;
      folders.push_back(sample.path.parent_path());
    }
  }
  return folders;
}

Result<void> check_trainable(const Dataset& dataset) {
  const auto counts = count_per_class(dataset.train, dataset.class_count());
  const auto present = std::count_if(counts.begin(), counts.end(), [](std::int64_t count) { return count > 0; });
  if (present >= (dataset.multi_label ? 1 : 2)) return {};
  return fail(Error::Kind::kUsage, "{}: {} class{} with training photos, expected at least two; {}", dataset.root.string(),
              present, present == 1 ? "" : "es", kLayoutsUnderstood);
}

std::vector<std::int64_t> count_per_class(const std::vector<Sample>& samples, int classes) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes));
  for (const Sample& sample : samples) {
    for (const int label : sample.labels) ++counts[static_cast<std::size_t>(label)];
  }
  return counts;
}

std::vector<std::int32_t> home_classes(std::span<const Sample> samples, int classes) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes));
  for (const Sample& sample : samples) {
    for (const int label : sample.labels) ++counts[static_cast<std::size_t>(label)];
  }
  std::vector<std::int32_t> homes;
  for (const Sample& sample : samples) {
    const auto rarest =
        std::ranges::min_element(sample.labels, {}, [&](int label) { return counts[static_cast<std::size_t>(label)]; });
    homes.push_back(rarest == sample.labels.end() ? classes : *rarest);
  }
  return homes;
}

std::vector<float> balanced_class_weights(const std::vector<Sample>& samples, int classes) {
  const auto counts = count_per_class(samples, classes);
  std::int64_t total = 0;
  std::int64_t present = 0;
  for (const std::int64_t count : counts) total += count, present += count > 0 ? 1 : 0;
  std::vector<float> weights(counts.size());
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] > 0) weights[k] = static_cast<float>(static_cast<double>(total) / static_cast<double>(present * counts[k]));
  }
  return weights;
}

}  // namespace fovea
