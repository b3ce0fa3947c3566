// SPDX-License-Identifier: Apache-2.0
#include "fovea/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <numeric>
#include <optional>

#include "check/contact_sheet.h"
#include "check/findings.h"
#include "check/label_errors.h"
#include "core/error.h"
#include "core/file.h"
#include "model/registry.h"
#include "report/contact_sheet.h"
#include "runtime/device.h"
#include "train/fit_choice.h"
#include "train/photo_rows.h"
#include "train/row_targets.h"
#include "train/run_setup.h"

namespace fovea::checking {
namespace {

using training::Inference;
using training::Table;

/// A pretrained backbone, ready to turn photos into features.
struct FrozenNetwork {
  Model model;
  std::optional<Inference> features;
};

class Checker {
 public:
  Checker(const CheckOptions& options, TrainObserver* observer);
  Result<CheckReport> run();

 private:
  Result<void> prepare();
  Result<void> open_network();
  Result<void> look();
  Result<void> look_at_labels(std::span<const int> groups);
  Result<void> look_at_label_sets(std::span<const std::int32_t> groups);  ///< of each row of seen_
  bool enough_judged(const std::vector<bool>& judged, std::int64_t needed);
  [[nodiscard]] const SurveyedPhoto& photo_of_row(std::int32_t row) const;
  void note(std::string text);

  CheckOptions options_;
  training::Reporter reporter_;
  Context context_;
  Device device_;
  Dataset data_;
  Preprocess preprocess_;
  std::unique_ptr<FrozenNetwork> network_;  ///< null: labels are not looked at
  std::vector<SurveyedPhoto> photos_;
  training::LabelledTable seen_;  // features of those that could be decoded
  CheckReport report_;
};

Checker::Checker(const CheckOptions& options, TrainObserver* observer) : options_(options), reporter_(observer) {
  context_.threads = options.threads > 0 ? options.threads : available_processors();
  context_.deterministic = options.deterministic;
  context_.stop = options.stop;
}

void Checker::note(std::string text) {
  reporter_.note(text);
  report_.notes.push_back(std::move(text));
}

Result<void> Checker::open_network() {
  if (!options_.network) {
    note("labels were not looked at: that needs the network");
    return {};
  }
  if (data_.class_count() < (data_.multi_label ? 1 : 2)) {
    note("labels were not looked at: there are too few classes");
    return {};
  }
  const TrainOptions wanted{.arch = options_.arch, .weights = options_.weights};
  if (!training::find_weights(wanted)) {
    note(
        fmt::format("labels were not looked at: there are no pretrained weights of {0} here; './dev setup' fetches those of "
                    "efficientnet_lite0, and --weights FILE names others",
                    options_.arch));
    return {};
  }
  auto network = std::make_unique<FrozenNetwork>();
  reporter_.choice({"device", device_.name, device_.reason});
  FOVEA_ASSIGN(network->model, training::make_model(wanted, data_.classes));
  FOVEA_ASSIGN(network->features,
               Inference::create(context_, *device_.backend, network->model.spec, network->model.parameters, "features"));
  preprocess_ = network->model.preprocess;
  network_ = std::move(network);
  return {};
}

Result<void> Checker::prepare() {
  if (!options_.contact_sheet.empty()) FOVEA_TRY(report::check_page_name(options_.contact_sheet));
  // What was asked for and cannot be had is said, whether or not a network will look.
  FOVEA_ASSIGN(device_, open_device(options_.device));
  FOVEA_ASSIGN(const Architecture architecture, find_architecture(options_.arch));
  preprocess_ = architecture.preprocess;
  reporter_.begin_stage("scan");
  FOVEA_ASSIGN(data_, scan_dataset(options_.data));
  context_.folders = std::make_shared<NamedFolders>(folders_of(data_));
  for (const std::string& text : data_.notes) note(text);
  FOVEA_TRY(open_network());
  preprocess_ = training::fit_candidates({.fit = options_.fit}, preprocess_).front();
  photos_ = photos_of(data_);
  reporter_.end_stage();
  return {};
}

Result<void> Checker::look() {
  reporter_.begin_stage("photos", static_cast<std::int64_t>(photos_.size()));
  SurveyingSource source(preprocess_, !options_.contact_sheet.empty(), photos_);
  if (network_) {
    std::vector<Sample> samples;
    for (const SurveyedPhoto& photo : photos_) samples.push_back(photo.sample);
    const training::PhotoRows rows(context_, samples, preprocess_, false);
    std::vector<std::int32_t> all(samples.size());
    std::iota(all.begin(), all.end(), 0);
    FOVEA_ASSIGN(seen_, rows.run_some(*network_->features, all, reporter_, &source));
  } else {
    FOVEA_TRY(load_each(context_, source, photos_, reporter_));
  }
  reporter_.end_stage();
  return {};
}

/// Notes the classes that are not judged; false where too few are for anything to be said.
bool Checker::enough_judged(const std::vector<bool>& judged, std::int64_t needed) {
  if (std::ranges::count(judged, true) < needed) {
    note(fmt::format("labels were not looked at: too few classes have {} different photos", kFolds));
    return false;
  }
  std::vector<std::string> passed_over;
  for (std::size_t k = 0; k < judged.size(); ++k) {
    if (!judged[k]) passed_over.push_back(data_.classes[k]);
  }
  if (!passed_over.empty()) {
    note(fmt::format("labels of classes with fewer than {} different photos were not looked at: {}", kFolds,
                     fmt::join(passed_over, ", ")));
  }
  return true;
}

const SurveyedPhoto& Checker::photo_of_row(std::int32_t row) const {
  return photos_[static_cast<std::size_t>(seen_.index[static_cast<std::size_t>(row)])];
}

Result<void> Checker::look_at_label_sets(std::span<const std::int32_t> groups) {
  std::vector<Sample> samples;
  for (const SurveyedPhoto& photo : photos_) samples.push_back(photo.sample);
  const training::RowTargets truth = training::row_targets(seen_.index, samples, data_.class_count(), true);
  const std::vector<bool> judged = judged_labels(truth.targets, groups, data_.class_count());
  if (!enough_judged(judged, 1)) return {};
  const Table probabilities = held_out_label_probabilities(context_, truth.of(seen_.table), groups, options_.seed);
  if (context_.stop_requested()) return fail(Error::Kind::kCancelled, "stopped on request");
  for (const SuspectTarget& suspect : find_target_errors(probabilities, truth.targets, judged)) {
    const SurveyedPhoto& photo = photo_of_row(suspect.row);
    SurveyedPhoto mended{.sample = photo.sample};
    std::erase(mended.sample.labels, suspect.label);
    if (suspect.missing)
      mended.sample.labels.insert(std::ranges::lower_bound(mended.sample.labels, suspect.label), suspect.label);
    const double probability = static_cast<double>(suspect.probability);
    report_.labels.push_back({named(photo, data_.classes), named(mended, data_.classes).label, probability, 1 - probability});
  }
  report_.labels_checked = true;
  return {};
}

Result<void> Checker::look_at_labels(std::span<const int> groups) {
  reporter_.begin_stage("labels");
  const std::vector<std::int32_t>& labels = seen_.labels;
  std::vector<std::int32_t> group_of_row;
  for (const std::int32_t photo : seen_.index) group_of_row.push_back(groups[static_cast<std::size_t>(photo)]);
  if (data_.multi_label) {
    FOVEA_TRY(look_at_label_sets(group_of_row));
    reporter_.end_stage();
    return {};
  }
  const std::vector<bool> judged = judged_classes(labels, group_of_row, data_.class_count());
  if (!enough_judged(judged, 2)) return {};
  const training::FeatureSet set{seen_.table.values, labels, seen_.table.width, data_.class_count()};
  const Table probabilities = held_out_probabilities(context_, set, group_of_row, options_.seed);
  if (context_.stop_requested()) return fail(Error::Kind::kCancelled, "stopped on request");
  for (const SuspectLabel& suspect : find_label_errors(probabilities, labels, judged)) {
    report_.labels.push_back({named(photo_of_row(suspect.row), data_.classes),
                              data_.classes[static_cast<std::size_t>(suspect.predicted)], suspect.probability,
                              suspect.label_probability});
  }
  report_.labels_checked = true;
  reporter_.end_stage();
  return {};
}

Result<CheckReport> Checker::run() {
  FOVEA_TRY(prepare());
  if (const auto looked = look(); !looked) return context_.why_ended(looked.error(), ": check again when it is there");
  const Surveyed surveyed{photos_, data_.classes};
  std::vector<std::optional<Fingerprint>> fingerprints;
  for (const SurveyedPhoto& photo : photos_) fingerprints.push_back(photo.fingerprint);
  const std::vector<int> groups = group_near_duplicates(fingerprints);
  report_.photos = static_cast<std::int64_t>(photos_.size());
  for (const SkippedPhoto& missing : data_.missing)
    report_.files.push_back({FileProblem::kUnreadable, {missing.path, "", ""}, missing.reason});
  std::ranges::move(find_bad_files(surveyed, preprocess_), std::back_inserter(report_.files));
  report_.duplicates = find_duplicates(surveyed, groups);
  report_.classes = count_classes(surveyed);
  report_.class_findings = find_class_problems(report_.classes);
  report_.shapes = find_odd_shapes(surveyed, preprocess_);
  report_.sizes = summarize_sizes(photos_, preprocess_);
  if (network_) FOVEA_TRY(look_at_labels(groups));
  if (!options_.contact_sheet.empty()) {
    FOVEA_TRY(write_file_atomically(options_.contact_sheet, contact_sheet(report_, surveyed, preprocess_)));
  }
  report_.seconds = reporter_.seconds();
  return std::move(report_);
}

}  // namespace
}  // namespace fovea::checking

namespace fovea {

bool CheckReport::needs_a_person() const {
  return std::ranges::any_of(files, [](const FileFinding& f) { return f.problem <= FileProblem::kTruncated; }) ||
         std::ranges::any_of(duplicates, [](const DuplicateGroup& g) { return g.across_splits || g.across_classes; }) ||
         std::ranges::any_of(class_findings,
                             [](const ClassFinding& c) { return c.problem == ClassFinding::Problem::kNotInTraining; });
}

Result<CheckReport> check(const CheckOptions& options, TrainObserver* observer) {
  return checking::Checker(options, observer).run();
}

}  // namespace fovea
