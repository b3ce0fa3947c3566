// Fovea: a camera looked at on a schedule, every picture's classes kept in a database.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/classifier.h"
#include "fovea/result.h"

namespace fovea {

/// Degrees; north and east are positive.
struct Place {
  double latitude = 0.0;
  double longitude = 0.0;
};

enum class KeepPhotos : std::uint8_t {
  kAll,         ///< the bytes as the camera gave them
  kThumbnails,  ///< a JPEG with a longer side of 320 pixels
  kNone,        ///< nor the small pictures that the page shows
};

/// Where every record is told to, if a host is given: MQTT, with the messages by which Home Assistant finds it.
struct MqttOptions {
  std::string host;  ///< empty: no MQTT
  int port = 1883;
  std::string user;
  std::string password;
  std::filesystem::path certificates;  ///< PEM file of authorities; with it the connection is encrypted
  std::string name = "fovea";          ///< of the camera: topics are fovea/NAME/...
  std::string discovery = "homeassistant";
};

struct WatchOptions {
  std::filesystem::path model;
  /// A folder (its newest photo that was not seen before), or "command:TEXT" (run by sh; prints a photo), a device (/dev/video0)
  /// or a stream (rtsp://, http://, ...).
  std::string camera;
  std::filesystem::path database = "watch.db";
  std::chrono::seconds every{600};  ///< on the grid of UTC: 600 is at :00, :10, :20, ...
  /// A camera that has not given a picture by then is a fault; shorter than `every`.
  std::chrono::milliseconds time_limit{30000};
  std::optional<Place> place;  ///< none: it is never night
  double night_below = -6.0;   ///< sun's height in degrees below which no picture is taken; -6 is the end of civil dusk
  bool once = false;           ///< one picture now

  KeepPhotos keep = KeepPhotos::kThumbnails;
  std::filesystem::path photos;                           ///< folder; empty: the database's name with ".photos"
  std::int64_t most_bytes = std::int64_t{1'000'000'000};  ///< of photos together; the oldest are removed first
  std::filesystem::path page;                             ///< an HTML page that follows the database; empty: none
  MqttOptions mqtt;

  std::string device = "auto";
  int threads = 0;
  bool deterministic = false;
  const std::atomic<bool>* stop = nullptr;  ///< set: ends after the current picture
  std::atomic<bool>* reload = nullptr;      ///< set: the model is read anew, and the flag cleared
};

enum class SlotState : std::uint8_t {
  kClassified,
  kNight,  ///< the sun was too low: no picture was taken
  kFault,  ///< no picture, or one that could not be read
};
/// "classified", "night", "fault"
[[nodiscard]] std::string_view name_of(SlotState state);

/// What became of one time of the schedule.
struct WatchRecord {
  std::chrono::sys_seconds time{};    ///< of the schedule, UTC
  std::chrono::seconds utc_offset{};  ///< local time minus UTC, then and there
  SlotState state = SlotState::kFault;
  std::vector<Prediction> predictions;  ///< the most probable first; empty unless classified
  bool rejected = false;                ///< classified, but probably none of the classes
  std::optional<double> sun;            ///< its height in degrees, without refraction; none: the place is not known
  std::string fault;
  std::filesystem::path photo;  ///< what was kept; empty: nothing
};

/// Times of the schedule without a record, and why.
struct WatchGap {
  std::chrono::sys_seconds first{};
  std::chrono::sys_seconds last{};
  std::int64_t slots = 0;
  std::string reason;
};

/// What a run came to.
struct WatchTotals {
  std::int64_t classified = 0;
  std::int64_t night = 0;
  std::int64_t faults = 0;
  std::int64_t missed = 0;             ///< times of the schedule that passed without a record, told as gaps
  std::int64_t not_stored = 0;         ///< records that the database could not take, not even later; told as gaps too
  std::int64_t photos_not_kept = 0;    ///< classified, but the photo could not be written
  std::int64_t photos_removed = 0;     ///< to stay below the ceiling
  std::int64_t reloads = 0;            ///< of the model
  std::int64_t messages_not_sent = 0;  ///< to MQTT
};

/// Told what happens, from the thread that called watch().
class WatchObserver {
 public:
  WatchObserver() = default;
  WatchObserver(const WatchObserver&) = delete;
  WatchObserver& operator=(const WatchObserver&) = delete;
  virtual ~WatchObserver() = default;

  virtual void on_record(const WatchRecord& /*record*/) {}
  virtual void on_gap(const WatchGap& /*gap*/) {}
  virtual void on_note(std::string_view /*text*/) {}
  virtual void on_warning(std::string_view /*text*/) {}
};

/// Looks at the camera until `stop` (or once), and goes on through everything that can happen to cameras, disks, clocks and
/// networks. Fails before the first picture for what can be known then: a model, device or camera description that makes no
/// sense (each kind of Error as its name says), a database that cannot be written. `observer` may be null.
Result<WatchTotals> watch(const WatchOptions& options, WatchObserver* observer = nullptr);

/// The page of a database: today's strip, a calendar, trends; one HTML file that needs nothing else. "Today" is the last day with
/// a record.
Result<void> write_watch_page(const std::filesystem::path& database, const std::filesystem::path& page);

/// A line for each record: time (UTC and local), state, class, probability, rejected, sun, fault, photo, and a column for each
/// class. RFC 4180.
Result<void> write_watch_csv(const std::filesystem::path& database, const std::filesystem::path& csv);

}  // namespace fovea
