// SPDX-License-Identifier: Apache-2.0
#include "fovea/watch.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/file_lock.h"
#include "watch/mqtt.h"
#include "watch/watcher.h"

namespace fovea {
namespace watching {
namespace {

namespace fs = std::filesystem;

/// A model file at work.
class ModelJudge final : public Judge {
 public:
  static Result<std::unique_ptr<ModelJudge>> open(const WatchOptions& options) {
    ClassifierOptions compute;
    compute.device = options.device;
    compute.threads = options.threads;
    compute.deterministic = options.deterministic;
    compute.tune = true;
    FOVEA_ASSIGN(Classifier classifier, Classifier::open(options.model, compute));
    return std::make_unique<ModelJudge>(options.model, compute, std::move(classifier));
  }
  ModelJudge(fs::path model, ClassifierOptions compute, Classifier classifier)
      : model_(std::move(model)), compute_(std::move(compute)), classifier_(std::move(classifier)) {}

  [[nodiscard]] const std::string& device() const { return classifier_.device(); }
  Result<Answer> classify(std::span<const std::byte> picture) override { return classifier_.classify(picture); }
  Result<void> reload() override {
    FOVEA_ASSIGN(Classifier fresh, Classifier::open(model_, compute_));
    classifier_ = std::move(fresh);
    return {};
  }

 private:
  fs::path model_;
  ClassifierOptions compute_;
  Classifier classifier_;
};

/// Whether `inner` lies in `outer` or is it.
bool is_within(const fs::path& inner, const fs::path& outer) {
  std::error_code error;
  const fs::path a = fs::weakly_canonical(inner, error);
  const fs::path b = fs::weakly_canonical(outer, error);
  return std::mismatch(b.begin(), b.end(), a.begin(), a.end()).first == b.end();
}

Result<void> check_options(const WatchOptions& options, const fs::path& photos) {
  if (options.every < std::chrono::seconds(1)) return fail(Error::Kind::kUsage, "a picture every 0 s; give 1 s or more");
  if (options.time_limit.count() < 1 || (!options.once && options.time_limit >= options.every)) {
    return fail(Error::Kind::kUsage, "a time limit of {} ms for a picture every {} s; it must be positive and shorter than that",
                options.time_limit.count(), options.every.count());
  }
  if (options.place) {
    const auto& [latitude, longitude] = *options.place;
    // Written so that what is no number fails too.
    if (!(latitude >= -90 && latitude <= 90 && longitude >= -180 && longitude <= 180)) {
      return fail(Error::Kind::kUsage, "place {}, {}; latitude is -90 to 90 (north), longitude -180 to 180 (east)", latitude,
                  longitude);
    }
  }
  if (options.most_bytes < 0) return fail(Error::Kind::kUsage, "a ceiling of {} bytes for photos", options.most_bytes);
  std::error_code error;
  if (options.keep != KeepPhotos::kNone && fs::is_directory(options.camera, error) && is_within(photos, options.camera)) {
    return fail(Error::Kind::kUsage, "{}: kept photos would lie in the camera's own folder; name another with --photos",
                photos.string());
  }
  return {};
}

/// Two watches of one database would write each time twice, and keep their photos under the same names. Where nothing can be
/// locked there is no lock: the database says itself what is wrong with its place.
Result<FileLock> lock_database(const fs::path& database) {
  auto lock = FileLock::beside(database);
  if (!lock) return FileLock();
  if (lock->locked() != Locked::kBusy) return lock;
  return fail(Error::Kind::kUsage, "{}: another 'fovea watch' keeps its records there: stop that one, or name another database",
              database.string());
}

fs::path photo_folder(const WatchOptions& options) {
  const fs::path folder = options.photos.empty() ? fs::path(options.database).replace_extension(".photos") : options.photos;
  // The database names photos, and may be read from another folder.
  std::error_code error;
  const fs::path whole = fs::absolute(folder, error);
  return error ? folder : whole;
}

}  // namespace
}  // namespace watching

std::string_view name_of(SlotState state) {
  switch (state) {
    case SlotState::kClassified: return "classified";
    case SlotState::kNight: return "night";
    case SlotState::kFault: return "fault";
  }
  return "?";
}

Result<WatchTotals> watch(const WatchOptions& options, WatchObserver* observer) {
  using namespace watching;
  const fs::path photos = photo_folder(options);
  FOVEA_TRY(check_options(options, photos));
  FOVEA_ASSIGN(const FileLock lock, lock_database(options.database));
  // Twice the time between pictures: what drops photos there need not be in step.
  const auto most_age = options.once ? std::nullopt : std::optional(2 * options.every);
  FOVEA_ASSIGN(const std::unique_ptr<Source> source, open_source(options.camera, most_age));
  FOVEA_ASSIGN(const std::unique_ptr<ModelJudge> judge, ModelJudge::open(options));
  Journal journal([&options] { return Store::open(options.database); });
  const PhotoKeeper keeper(photos, options.keep, options.most_bytes);
  SystemClock clock;
  std::unique_ptr<Sink> sink;
  if (!options.mqtt.host.empty()) {
    FOVEA_ASSIGN(sink, mqtt_sink(options.mqtt));
  }
  if (observer != nullptr) observer->on_note("device: " + judge->device());
  WatchParts parts{clock, *source, *judge, journal, keeper};
  parts.sink = sink.get();
  parts.observer = observer;
  return Watcher(options, parts).run();
}

}  // namespace fovea
