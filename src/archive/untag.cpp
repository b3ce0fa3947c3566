// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "archive/catalog.h"
#include "archive/change.h"
#include "archive/find_marked.h"
#include "core/context.h"
#include "core/error.h"
#include "fovea/archive.h"

namespace fovea {
namespace {

using namespace archive;

// The edited file back to its original bytes. Nothing if there was nothing to do.
Result<std::optional<UntaggedPhoto>> take_back(Catalog& catalog, const Edit& edit, bool dry_run) {
  const FileKind kind = edit.file == edit.photo ? FileKind::kPhoto : FileKind::kSidecar;
  FOVEA_ASSIGN(const auto change, plan_change(catalog.journal(), kind, edit.file, edit.photo, nullptr));
  std::optional<UntaggedPhoto> untagged;
  if (change) {
    const auto how = !change->content        ? UntaggedPhoto::How::kDeleted
                     : change->changed_since ? UntaggedPhoto::How::kTakenOut
                                             : UntaggedPhoto::How::kRestored;
    untagged = UntaggedPhoto{edit.photo, edit.file, how};
  }
  if (dry_run) return untagged;
  // Without a change the file is as it was already, or a sidecar is gone: what is left to do is to forget it.
  Edit back{edit.file, edit.photo, {}, {}, {}};
  if (change) back.original = back.written = change->edit.written;
  {
    FOVEA_ASSIGN(database::Transaction transaction, database::Transaction::begin(catalog.database()));
    FOVEA_TRY(catalog.journal().begin(back));
    FOVEA_TRY(transaction.commit());
  }
  if (change) {
    if (const auto done = carry_out(*change); !done) {
      FOVEA_TRY(catalog.journal().settle(back));
      return done.error();
    }
  }
  FOVEA_ASSIGN(database::Transaction transaction, database::Transaction::begin(catalog.database()));
  FOVEA_TRY(catalog.journal().finish(edit.file));
  FOVEA_TRY(catalog.forget_tags(edit.photo));
  FOVEA_TRY(transaction.commit());
  return untagged;
}

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

Error not_there(const std::filesystem::path& first, std::int64_t count) {
  const std::string others = count > 1 ? fmt::format(" and {} more are", count - 1) : " is";
  return fail(Error::Kind::kNotFound,
              "{}{} not there: deleted, moved, or on a drive that is not connected; the way back to the earlier bytes is kept",
              first.string(), others);
}

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
  ArchiveObserver& view = observer != nullptr ? *observer : silent;
  if (options.paths.empty()) return fail(Error::Kind::kUsage, "no photos were named");
  const std::filesystem::path path = options.catalog.empty() ? default_catalog() : options.catalog;
  FOVEA_ASSIGN(Catalog catalog, open_catalog(path, options.dry_run));
  Context context;
  context.threads = available_processors();
  context.stop = options.stop;
  UntagReport report;
  FOVEA_ASSIGN(const std::vector<Edit> edits, edits_below(context, options.paths, catalog, view));
  const Edit* absent = nullptr;
  for (std::size_t i = 0; i < edits.size() && !context.stop_requested(); ++i) {
    if (out_of_reach(edits[i])) {
      if (report.absent++ == 0) absent = &edits[i];
      continue;
    }
    auto untagged = take_back(catalog, edits[i], options.dry_run);
    if (!untagged) {
      ++report.failed;
      view.on_failure(edits[i].photo, untagged.error());
    } else if (*untagged) {
      report.files.push_back(**untagged);
    }
    view.on_progress({"untagging", static_cast<std::int64_t>(i + 1), static_cast<std::int64_t>(edits.size())});
  }
  if (absent != nullptr) view.on_failure(absent->photo, not_there(absent->photo, report.absent));
  report.stopped = context.stop_requested();
  return report;
}

}  // namespace fovea
