// Fovea: a checkout scale with a camera: what lies on it, named steadily while it lies there.
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

enum class WeightUnit : std::uint8_t { kGram, kKilogram, kOunce, kPound };

/// What weighs: a serial line or a USB weighing device.
struct WeightOptions {
  /// A serial device (/dev/ttyUSB0) or a USB weighing device (/dev/hidraw0); "hid:PATH" and "serial:PATH" say which of the two
  /// another path is. Empty: no scale.
  std::string device;
  int baud = 9600;  ///< of a serial line; 8 bits, no parity, 1 stop bit
  std::string ask;  ///< sent to a serial scale, with CR LF, before each reading ("W", "SI"); empty: it speaks unasked
  WeightUnit unit = WeightUnit::kKilogram;  ///< of numbers without one
  double least_g = 5;                       ///< a lighter load is nothing
};

struct ScaleOptions {
  std::filesystem::path model;
  /// A camera: a device (/dev/video0), a stream (rtsp://, http://, ...), "command:TEXT" (run by sh; prints JPEGs one after
  /// another). Or a recording: a video file, numbered pictures ("frame-%04d.jpg"), a folder, each of whose photos is shown for
  /// `hold`.
  std::string camera;
  std::filesystem::path empty;           ///< a picture of the empty scale; empty: learned from the camera's first second at rest
  std::chrono::milliseconds hold{2000};  ///< for which a photo of a folder is shown
  bool loop = false;                     ///< a recording begins anew at its end
  double sure_at = 0.7;                  ///< the probability from which an answer is sure
  WeightOptions weight;

  bool page = true;                ///< a web page for the customer
  std::string bind = "127.0.0.1";  ///< who may reach it: this computer alone
  int port = 8077;                 ///< 0: any free one
  std::vector<std::string> hosts;  ///< further names by which browsers may ask for it

  std::filesystem::path corrections;        ///< folder for photos that the customer has named; empty: none are kept
  std::int64_t most_bytes = 2'000'000'000;  ///< of those photos together

  std::string device = "auto";
  int threads = 0;
  bool deterministic = false;
  const std::atomic<bool>* stop = nullptr;  ///< set: ends
  std::atomic<bool>* reload = nullptr;      ///< set: the model is read anew, and the flag cleared
};

enum class ScaleState : std::uint8_t {
  kNoPicture,  ///< the camera gives nothing
  kNothing,    ///< the scale is empty
  kChanging,   ///< something moves
  kSure,       ///< at rest, and one class is probable enough
  kUnsure,     ///< at rest, but no class is
  kUnknown,    ///< at rest, and probably none of the classes
};
/// "no picture", "nothing", "changing", "sure", "unsure", "unknown"
[[nodiscard]] std::string_view name_of(ScaleState state);

struct Weight {
  double grams = 0;
  bool stable = false;  ///< the scale has come to rest
};

/// What the scale says from now on.
struct ScaleReading {
  std::chrono::sys_time<std::chrono::milliseconds> time{};
  ScaleState state = ScaleState::kNoPicture;
  std::vector<Prediction> answers;     ///< of sure, unsure and unknown: the three most probable classes
  std::optional<Weight> weight;        ///< none: there is no scale, or it has said nothing lately
  std::int64_t id = 0;                 ///< of the item at rest: another number for another item; 0 where there is none
  std::chrono::milliseconds after{0};  ///< from the first picture that shows it at rest to this answer
};

/// What the customer took an item for.
struct ScaleChoice {
  std::chrono::sys_time<std::chrono::milliseconds> time{};
  std::int64_t id = 0;
  std::string label;
  std::vector<Prediction> answers;  ///< what had been proposed
  bool corrected = false;           ///< `label` is not what had been proposed first
  std::optional<Weight> weight;
  std::filesystem::path photo;  ///< what was kept; empty: nothing
};

/// An object on one line: {"time","state","answers":[{"label","probability"}],"weight_g","stable","id","after_ms"}.
[[nodiscard]] std::string json_line(const ScaleReading& reading);
/// The same for a choice: {"time","chosen","corrected","answers",...,"id","photo"}.
[[nodiscard]] std::string json_line(const ScaleChoice& choice);

/// What a run came to.
struct ScaleTotals {
  std::int64_t pictures = 0;
  std::int64_t items = 0;    ///< came to rest and were answered
  std::int64_t choices = 0;  ///< of customers
  std::int64_t photos_kept = 0;
  std::int64_t photos_not_kept = 0;  ///< the disk was full, or the ceiling reached
  std::int64_t camera_faults = 0;    ///< times that the camera was lost
  std::int64_t weight_faults = 0;    ///< times that the scale was lost
  std::int64_t reloads = 0;          ///< of the model
};

/// Told what happens, from the thread that called scale().
class ScaleObserver {
 public:
  ScaleObserver() = default;
  ScaleObserver(const ScaleObserver&) = delete;
  ScaleObserver& operator=(const ScaleObserver&) = delete;
  virtual ~ScaleObserver() = default;

  /// Returning false ends the run.
  virtual bool on_reading(const ScaleReading& /*reading*/) { return true; }
  virtual bool on_choice(const ScaleChoice& /*choice*/) { return true; }
  virtual void on_note(std::string_view /*text*/) {}
  virtual void on_warning(std::string_view /*text*/) {}
};

/// Looks until `stop`, or until the end of a recording, and goes on through unplugged cameras and scales and full disks. Fails
/// before the first picture for what can be known then: a model, device or recording that makes no sense (each kind of Error as
/// its name says), a port that is taken. `observer` may be null.
Result<ScaleTotals> scale(const ScaleOptions& options, ScaleObserver* observer = nullptr);

}  // namespace fovea
