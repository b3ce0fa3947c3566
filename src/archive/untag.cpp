// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <span>
#include <vector>

#include "archive/batch.h"
#include "archive/find_marked.h"
#include "data/workers.h"
#include "fovea/archive.h"
#include "fovea/figures.h"

namespace fovea {
namespace {

using namespace archive;

// Nothing is made for this: without a catalogue, photos still say themselves which keywords are Fovea's.
Result<Catalog> open_catalog(const std::filesystem::path& path, bool dry_run) {
  std::error_code unknown;
  const bool writes = !dry_run && std::filesystem::exists(path, unknown);
  return writes ? Catalog::open_for_writing(path) : Catalog::open_or_temporary(path);
}

// What the catalogue knows to be changed there, then what else bears Fovea's keywords.
Result<std::vector<Edit>> edits_below(const Context& context, const std::vector<std::filesystem::path>& paths, Catalog& catalog,
                                      ArchiveObserver& observer) {
  std::vector<Edit> edits;
  std::vector<std::filesystem::path> there;
  for (const std::filesystem::path& given : paths) {
    FOVEA_ASSIGN(auto below, catalog.journal().finished_below(catalog_path(given)));
    // Of what is gone the catalogue may know; what it knows nothing of, and is not there, is mistyped, which the search says.
    std::error_code unknown;
    if (below.empty() || std::filesystem::exists(given, unknown)) there.push_back(given);
    std::ranges::move(below, std::back_inserter(edits));
  }
  FOVEA_ASSIGN(auto marked, find_marked(context, there, catalog, edits, observer));
  std::ranges::move(marked, std::back_inserter(edits));
  return edits;
}

UntaggedPhoto::How how(const Change& change) {
  if (!change.content) return UntaggedPhoto::How::kDeleted;
  return change.changed_since ? UntaggedPhoto::How::kTakenOut : UntaggedPhoto::How::kRestored;
}

class UntagRun {
 public:
  UntagRun(const UntagOptions& options, Catalog catalog, ArchiveObserver& observer)
      : options_(options), catalog_(std::move(catalog)), observer_(observer), folders_(options.paths) {
    context_.threads = available_processors();
    context_.stop = options.stop;
  }

  Result<UntagReport> run() {
    FOVEA_ASSIGN(const std::vector<Edit> edits, edits_below(context_, options_.paths, catalog_, observer_));
    std::span<const Edit> left = edits;
    while (!left.empty() && !context_.stop_requested() && !folders_.lost()) {
      const std::size_t count = batch_length(left.size(), [&](std::size_t i) {
        const auto stamp = stamp_of(left[i].file);
        return stamp ? stamp->size : 0;
      });
      FOVEA_TRY(take_back(left.first(count)));
      left = left.subspan(count);
      const auto total = static_cast<std::int64_t>(edits.size());
      observer_.on_progress({"untagging", total - static_cast<std::int64_t>(left.size()), total});
    }
    report_.stopped = context_.stop_requested();
    if (folders_.lost()) report_.absent += static_cast<std::int64_t>(left.size());
    if (report_.absent > 0) tell_absent();
    return report_;
  }

 private:
  struct Return : PhotoChanges {
    bool absent = false;
  };

  // Edited files back to their original bytes.
  Result<void> take_back(std::span<const Edit> edits) {
    std::vector<Return> returns(edits.size());
    Context all = context_;
    all.stop = nullptr;  // what has been begun is finished
    for_each_photo(all, static_cast<std::int64_t>(edits.size()),
                   [&](std::int64_t i) { plan(edits[static_cast<std::size_t>(i)], returns[static_cast<std::size_t>(i)]); });
    if (!options_.dry_run) FOVEA_TRY(carry_out(all, edits, returns));
    for (std::size_t i = 0; i < edits.size(); ++i) tell(edits[i], returns[i]);
    return {};
  }

  void plan(const Edit& edit, Return& back) {
    if (out_of_reach(edit)) {
      back.absent = true;
      folders_.tell(edit.photo, false);
      return;
    }
    const FileKind kind = edit.file == edit.photo ? FileKind::kPhoto : FileKind::kSidecar;
    auto change = plan_change(catalog_.journal(), kind, edit.file, edit.photo, nullptr);
    if (!change) {
      back.error = change.error();
    } else if (*change) {
      back.changes.push_back(std::move(**change));
    }
  }

  Result<void> carry_out(const Context& context, std::span<const Edit> edits, std::span<Return> returns) {
    std::vector<PhotoChanges*> changes;
    for (Return& back : returns) changes.push_back(&back);
    FOVEA_TRY(carry_out_all(context, catalog_, folders_, changes));
    FOVEA_ASSIGN(database::Transaction transaction, database::Transaction::begin(catalog_.database()));
    for (std::size_t i = 0; i < edits.size(); ++i) FOVEA_TRY(record_return(edits[i], returns[i]));
    return transaction.commit();
  }

  // Within a transaction.
  Result<void> record_return(const Edit& edit, const Return& back) {
    FOVEA_TRY(record(catalog_.journal(), folders_, back));
    if (back.absent || back.error) return {};
    if (back.changes.empty()) {  // the file is as it was already, or a sidecar is gone: that is to be forgotten
      FOVEA_TRY(catalog_.journal().begin({edit.file, edit.photo, {}, {}, {}}));
      FOVEA_TRY(catalog_.journal().finish(edit.file));
    }
    return catalog_.forget_tags(edit.photo);
  }

  void tell(const Edit& edit, const Return& back) {
    if (back.absent) {
      if (report_.absent++ == 0) first_absent_ = edit.photo;
    } else if (back.error && folders_.lost()) {
      ++report_.absent;  // tell_absent says it for all
    } else if (back.error) {
      ++report_.failed;
      observer_.on_failure(edit.photo, *back.error);
    } else if (!back.changes.empty()) {
      const Change& change = back.changes.front();
      report_.files.push_back({edit.photo, edit.file, how(change)});
    }
  }

  // One line for all of them.
  void tell_absent() {
    if (folders_.lost()) {
      return observer_.on_failure(options_.paths.front(), stopped_before(folders_, counted(report_.absent, "file")));
    }
    const std::string others = report_.absent > 1 ? fmt::format(" and {} more are", report_.absent - 1) : " is";
    observer_.on_failure(first_absent_,
                         fail(Error::Kind::kNotFound,
                              "{}{} not there: deleted, moved, or on a drive that is not connected; the way back to "
                              "the earlier bytes is kept",
                              first_absent_.string(), others));
  }

  const UntagOptions& options_;
  Context context_;
  Catalog catalog_;
  ArchiveObserver& observer_;
  NamedFolders folders_;
  UntagReport report_;
  std::filesystem::path first_absent_;
};

}  // namespace

std::string_view name_of(UntaggedPhoto::How how) {
  switch (how) {
    case UntaggedPhoto::How::kRestored: return "restored";
    case UntaggedPhoto::How::kDeleted: return "deleted";
    case UntaggedPhoto::How::kTakenOut: return "taken out";
  }
  return "";
}

Result<UntagReport> untag_photos(const UntagOptions& options, ArchiveObserver* observer) {
  ArchiveObserver silent;
  if (options.paths.empty()) return fail(Error::Kind::kUsage, "no photos were named");
  if (!options.dry_run) FOVEA_TRY(check_writable(options.paths));
  FOVEA_ASSIGN(const std::filesystem::path path, Catalog::named(options.catalog));
  FOVEA_ASSIGN(Catalog catalog, open_catalog(path, options.dry_run));
  return UntagRun(options, std::move(catalog), observer != nullptr ? *observer : silent).run();
}

}  // namespace fovea
