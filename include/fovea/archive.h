// Fovea: a model at work on an archive of photos: keywords into their metadata, out again, and search.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/classifier.h"
#include "fovea/result.h"
#include "fovea/trainer.h"

namespace fovea {

/// Where the archive's catalogue lies unless one is named: fovea/archive.sqlite in the user's folder for data.
Result<std::filesystem::path> default_catalog();

enum class WriteTo : std::uint8_t {
  kSidecar,  ///< an XMP file beside the photo, which stays untouched
  kEmbed,    ///< the photo itself; a sidecar where that cannot be done safely, with the reason
};

struct TagOptions {
  std::filesystem::path model;
  std::vector<std::filesystem::path> paths;  ///< photos, and folders with all below them; links are not followed
  std::filesystem::path catalog;             ///< empty: the default one
  WriteTo write_to = WriteTo::kSidecar;
  /// A class below gives no keyword. Not given: 0.5, or, of a model for any number of labels, the thresholds of its classes.
  std::optional<double> min_probability;
  std::map<std::string, std::string> names;  ///< class to keyword: "cloudy" to "Weather/Cloudy"
  bool dry_run = false;                      ///< nothing is written, not even the catalogue
  bool again = false;                        ///< also photos that have not changed since they were tagged
  int threads = 0;
  bool deterministic = false;
  std::string device = "auto";
  const std::atomic<bool>* stop = nullptr;
};

struct TaggedPhoto {
  std::filesystem::path path;
  Answer answer;
  std::vector<std::string> keywords;  ///< as they are shown: "Weather/Cloudy"; none: rejected, or not sure enough
  /// The photo or its sidecar; empty if nothing had to be written.
  std::filesystem::path written;
  std::string remark;  ///< why it went into a sidecar although it was to be embedded
};

struct TagReport {
  std::int64_t photos = 0;     ///< found
  std::int64_t unchanged = 0;  ///< of those, not read again
  std::int64_t tagged = 0;
  std::int64_t without = 0;  ///< looked at, but no class sure enough
  std::int64_t failed = 0;
  bool stopped = false;
  double seconds = 0.0;
};

/// What happens while an archive is worked on. Called by one thread at a time.
class ArchiveObserver {
 public:
  virtual ~ArchiveObserver() = default;
  virtual void on_photo(const TaggedPhoto& /*photo*/) {}
  /// A photo that was left as it is, and why.
  virtual void on_failure(const std::filesystem::path& /*photo*/, const Error& /*error*/) {}
  virtual void on_progress(const Progress& /*progress*/) {}
  virtual void on_note(std::string_view /*text*/) {}
};

/// Classifies photos and writes what they show into their metadata. Photos that have not changed since the same model tagged
/// them are not read. A photo, or sidecar, that someone else changes meanwhile is left alone and reported. Killed at any
/// moment, every file has its old bytes or its complete new ones, and the next run goes on.
/// Fails where nothing can be done: kUsage, kNotFound (model, paths), kIo (catalogue).
Result<TagReport> tag_photos(const TagOptions& options, ArchiveObserver* observer = nullptr);

struct UntagOptions {
  std::vector<std::filesystem::path> paths;
  std::filesystem::path catalog;
  bool dry_run = false;
  const std::atomic<bool>* stop = nullptr;
};

struct UntaggedPhoto {
  enum class How : std::uint8_t {
    kRestored,  ///< the file has the bytes again that it had before
    kDeleted,   ///< a sidecar that Fovea had made
    kTakenOut,  ///< others have changed the file since, or another catalogue knows it: only what Fovea added was taken out
  };
  std::filesystem::path photo;
  std::filesystem::path file;  ///< the photo or its sidecar
  How how = How::kRestored;
};
[[nodiscard]] std::string_view name_of(UntaggedPhoto::How how);

struct UntagReport {
  std::vector<UntaggedPhoto> files;
  std::int64_t failed = 0;
  std::int64_t absent = 0;  ///< changed files that are not there; the way back to their earlier bytes is kept
  bool stopped = false;
};

/// Takes back what tag_photos did below `paths`, also to photos that were moved there: those that the catalogue does not know are
/// read. Of files that are not there the first is reported as a failure, for all of them.
Result<UntagReport> untag_photos(const UntagOptions& options, ArchiveObserver* observer = nullptr);

struct GeoPoint {
  double latitude = 0.0;   ///< degrees, north positive
  double longitude = 0.0;  ///< degrees, east positive
};
struct GeoCircle {
  GeoPoint centre;
  double kilometres = 0.0;
};
struct GeoBox {
  GeoPoint south_west;
  GeoPoint north_east;  ///< may lie west of the other: then the box crosses the 180th meridian
};

/// All conditions must hold. A photo whose date, camera or place is not known does not meet a condition on it.
struct FindQuery {
  std::filesystem::path catalog;
  /// Classes or keywords, Fovea's or of other programs; capital letters A to Z do not matter; "Weather/Cloudy" asks for both.
  std::vector<std::string> words;
  /// Also photos that got no keyword, if the class is at least so probable; and of those with one only such.
  std::optional<double> min_probability;
  std::string since;   ///< "2019", "2019-06", "2019-06-30": taken then or later
  std::string until;   ///< taken then or earlier, the whole year, month or day included
  std::string camera;  ///< part of its name
  std::vector<std::filesystem::path> folders;
  std::optional<GeoCircle> near;
  std::optional<GeoBox> box;
  std::int64_t limit = 0;  ///< 0: all
};

struct FoundPhoto {
  std::filesystem::path path;
  std::optional<double> probability;  ///< of the least sure of the words; none: by other programs' keywords, or no word asked for
  std::vector<Prediction> predictions;
  std::vector<std::string> keywords;  ///< each level by itself
  std::string taken;                  ///< "2019-06-30T18:22:05"; empty: unknown
  std::string camera;
  std::optional<GeoPoint> place;
};

/// Photos of the catalogue that meet the query, ordered by date taken, then by path. kNotFound without a catalogue.
Result<std::vector<FoundPhoto>> find_tagged(const FindQuery& query);

/// One self-contained page with the photos as thumbnails. `page`: ends in .html; replaced if it is there. A photo that
/// cannot be read is named without a picture.
Result<void> write_contact_sheet(const std::filesystem::path& page, std::string_view title, const std::vector<FoundPhoto>& photos,
                                 int threads = 0);

}  // namespace fovea
