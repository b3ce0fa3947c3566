// SPDX-License-Identifier: Apache-2.0
#include "archive/tagger.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <chrono>

#include "archive/batch.h"
#include "core/error.h"
#include "data/workers.h"

namespace fovea::archive {
namespace {

namespace fs = std::filesystem;

std::string utc_now() {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
}

}  // namespace

struct Tagger::Plan : PhotoChanges {
  Words words;
  std::string remark;
  fs::path sidecar;
};

Tagger::Tagger(Context context, Catalog& catalog, NamedFolders& folders, const TagOptions& options, Wording wording,
               std::uint64_t settings)
    : context_(std::move(context)),
      catalog_(catalog),
      folders_(folders),
      write_to_(options.write_to),
      dry_run_(options.dry_run),
      wording_(std::move(wording)),
      settings_(settings) {
  context_.stop = nullptr;  // what has been begun is finished
}

Result<std::vector<Outcome>> Tagger::write(std::span<const SeenPhoto> photos) {
  std::vector<Outcome> outcomes;
  while (!photos.empty()) {
    const std::size_t count =
        batch_length(photos.size(), [&](std::size_t i) { return write_to_ == WriteTo::kEmbed ? photos[i].stamp.size : 0; });
    FOVEA_ASSIGN(auto written, write_batch(photos.first(count)));
    std::ranges::move(written, std::back_inserter(outcomes));
    photos = photos.subspan(count);
  }
  return outcomes;
}

Result<std::vector<Outcome>> Tagger::write_batch(std::span<const SeenPhoto> photos) {
  std::vector<Plan> plans(photos.size());
  for_each_photo(context_, static_cast<std::int64_t>(photos.size()),
                 [&](std::int64_t i) { plan(photos[static_cast<std::size_t>(i)], plans[static_cast<std::size_t>(i)]); });
  std::vector<Outcome> outcomes(photos.size());
  for (std::size_t i = 0; i < photos.size(); ++i) {
    Outcome& outcome = outcomes[i];
    outcome.photo.path = photos[i].path;
    outcome.photo.keywords = plans[i].words.shown;
    outcome.photo.remark = plans[i].remark;
    if (*photos[i].answer) outcome.photo.answer = **photos[i].answer;
    for (const Change& change : plans[i].changes) {
      if (outcome.photo.written.empty()) outcome.photo.written = change.edit.file;
    }
  }
  if (!dry_run_) {
    std::vector<PhotoChanges*> changes;
    for (Plan& plan : plans) changes.push_back(&plan);
    FOVEA_TRY(carry_out_all(context_, catalog_, folders_, changes));
    FOVEA_ASSIGN(database::Transaction transaction, database::Transaction::begin(catalog_.database()));
    for (std::size_t i = 0; i < photos.size(); ++i) FOVEA_TRY(record(photos[i], plans[i]));
    FOVEA_TRY(transaction.commit());
  }
  for (std::size_t i = 0; i < photos.size(); ++i) outcomes[i].error = std::move(plans[i].error);
  return outcomes;
}

void Tagger::plan(const SeenPhoto& seen, Plan& plan) {
  if (!*seen.answer) {
    plan.error = seen.answer->error();
    return;
  }
  if (folders_.lost()) {
    plan.error = fail(Error::Kind::kIo, "{}: not written: {}", seen.path.string(), folders_.why());
    return;
  }
  const Answer& answer = **seen.answer;
  plan.words = words_for(answer, wording_);
  plan_where(seen,
             {plan.words.fields, carried_words(seen.metadata.others), {wording_.model, utc_now(), predictions_text(answer)}},
             plan);
  if (plan.error) folders_.tell(seen.path, false);
}

// Keywords go to one place, and out of the other if an earlier run has put them there.
void Tagger::plan_where(const SeenPhoto& seen, const Wanted& wanted, Plan& plan) {
  const Wanted* const words = plan.words.shown.empty() ? nullptr : &wanted;
  bool embedded = false;
  if (write_to_ == WriteTo::kEmbed && words != nullptr) {
    auto done = may_embed(seen.path);
    if (done) done = plan_file(FileKind::kPhoto, seen, words, plan);
    embedded = done.ok();
    if (!done && (done.error().kind == Error::Kind::kIo || done.error().kind == Error::Kind::kNotFound)) {
      plan.error = done.error();
      return;
    }
    if (!done) plan.remark = done.error().message;
  } else if (seen.metadata.marked) {
    if (const auto done = plan_file(FileKind::kPhoto, seen, nullptr, plan); !done) plan.error = done.error();
  }
  if (plan.error) return;
  if (const auto done = plan_file(FileKind::kSidecar, seen, embedded ? nullptr : words, plan); !done) plan.error = done.error();
}

Result<void> Tagger::plan_file(FileKind kind, const SeenPhoto& seen, const Wanted* wanted, Plan& plan) {
  const fs::path file = kind == FileKind::kPhoto ? seen.path : sidecar_of(seen.path);
  if (kind == FileKind::kSidecar) {
    if (stamp_of(seen.path) != seen.stamp) {
      return fail(Error::Kind::kIo, "{}: changed by another program meanwhile; left alone", seen.path.string());
    }
    plan.sidecar = file;
  }
  const std::optional<FileStamp> expected = kind == FileKind::kPhoto ? std::optional(seen.stamp) : std::nullopt;
  FOVEA_ASSIGN(auto change, plan_change(catalog_.journal(), kind, file, seen.path, wanted, expected));
  if (change) plan.changes.push_back(std::move(*change));
  return {};
}

// Within a transaction.
Result<void> Tagger::record(const SeenPhoto& seen, const Plan& plan) {
  FOVEA_TRY(archive::record(catalog_.journal(), folders_, plan));
  if (plan.error) return {};
  CatalogEntry entry;
  entry.path = seen.path;
  const auto stamp = stamp_of(seen.path);
  if (!stamp) return {};
  entry.photo = *stamp;
  if (const auto sidecar = stamp_of(plan.sidecar)) {
    entry.sidecar = plan.sidecar;
    entry.sidecar_stamp = *sidecar;
  }
  entry.settings = settings_;
  entry.facts = seen.metadata.facts;
  if (!entry.sidecar.empty()) {
    if (const auto text = read_stamped(entry.sidecar)) {
      if (const auto xmp = metadata::read_xmp(metadata::as_text(text->bytes))) entry.facts.complete_with(xmp->facts);
    }
  }
  for (const Prediction& p : (*seen.answer)->predictions) {
    constexpr double kLeast = 0.01;
    if (p.probability >= kLeast) entry.predictions.push_back(p);
  }
  entry.keywords = plan.words.levels;
  return catalog_.put(entry);
}

}  // namespace fovea::archive
