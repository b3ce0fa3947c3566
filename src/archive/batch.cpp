// SPDX-License-Identifier: Apache-2.0
#include "archive/batch.h"

#include <sys/statvfs.h>

#include "data/workers.h"
#include "database/connection.h"

namespace fovea::archive {

Result<void> carry_out_all(const Context& context, Catalog& catalog, NamedFolders& folders,
                           std::span<PhotoChanges* const> photos) {
  {
    FOVEA_ASSIGN(database::Transaction transaction, database::Transaction::begin(catalog.database()));
    for (const PhotoChanges* photo : photos) {
      if (photo->error) continue;
      for (const Change& change : photo->changes) FOVEA_TRY(catalog.journal().begin(change.edit));
    }
    FOVEA_TRY(transaction.commit());
  }
  for_each_photo(context, static_cast<std::int64_t>(photos.size()), [&](std::int64_t i) {
    PhotoChanges& photo = *photos[static_cast<std::size_t>(i)];
    for (const Change& change : photo.changes) {
      if (photo.error) return;
      const auto done = folders.lost() ? fail(Error::Kind::kIo, "{}", folders.why()) : carry_out(change);
      folders.tell(change.edit.photo, done.ok());
      if (done) {
        ++photo.carried_out;
      } else {
        photo.error = done.error();
      }
    }
  });
  return {};
}

Result<void> check_writable(std::span<const std::filesystem::path> paths) {
  for (const std::filesystem::path& path : paths) {
    struct statvfs system {};
    if (::statvfs(path.c_str(), &system) == 0 && (system.f_flag & ST_RDONLY) != 0) {
      return fail(Error::Kind::kIo,
                  "{}: is mounted for reading alone, so nothing can be written into photos there or beside them; mount it for "
                  "writing, or see with --dry-run what would be done",
                  path.string());
    }
  }
  return {};
}

Error stopped_before(const NamedFolders& folders, std::string_view left) {
  return folders.stopped(fmt::format(", {} left alone: the same command goes on when it is there again", left));
}

Result<void> record(Journal& journal, const NamedFolders& folders, const PhotoChanges& photo) {
  for (std::size_t i = 0; i < photo.changes.size(); ++i) {
    const Edit& edit = photo.changes[i].edit;
    if (i < photo.carried_out) {
      FOVEA_TRY(journal.finish(edit.file));
    } else if (!folders.lost()) {  // else it is settled when the catalogue is opened next
      FOVEA_TRY(journal.settle(edit));
    }
  }
  return {};
}

}  // namespace fovea::archive
