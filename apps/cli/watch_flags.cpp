// SPDX-License-Identifier: Apache-2.0
#include "watch_flags.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

#include "amount.h"

namespace fovea::cli {
namespace {

std::optional<Place> place_of(std::string_view text) {
  Place place;
  const char* end = text.data() + text.size();
  const auto latitude = std::from_chars(text.data(), end, place.latitude);
  if (latitude.ec != std::errc() || latitude.ptr == end || *latitude.ptr != ',') return std::nullopt;
  const auto longitude = std::from_chars(latitude.ptr + 1, end, place.longitude);
  if (longitude.ec != std::errc() || longitude.ptr != end) return std::nullopt;
  return place;
}

void add_place(CLI::App& app, WatchOptions& options) {
  app.add_option_function<std::string>(
         "--place", [&options](const std::string& text) { options.place = place_of(text); },
         "latitude and longitude in degrees, north and east positive: tells night from clouds")
      ->check(CLI::Validator(
          [](const std::string& text) {
            return place_of(text) ? std::string()
                                  : fmt::format("'{}' is not a latitude and a longitude in degrees, such as 48.14,11.58", text);
          },
          ""))
      ->type_name("LAT,LON");
  app.add_option("--night-below", options.night_below, "sun's height in degrees below which it is night: no picture is taken")
      ->check(number(-90.0, 90.0))
      ->capture_default_str();
}

void add_mqtt(CLI::App& app, MqttOptions& mqtt) {
  app.add_option("--mqtt", mqtt.host, "broker to tell every record; Home Assistant finds it by itself")->type_name("HOST");
  app.add_option("--mqtt-port", mqtt.port, "its port")->check(whole_number(1, 65535))->capture_default_str();
  app.add_option("--mqtt-user", mqtt.user, "user; the password is taken from FOVEA_MQTT_PASSWORD")->type_name("NAME");
  app.add_option("--mqtt-tls", mqtt.certificates, "encrypt: the file of certificates (PEM) to trust")->type_name("FILE");
  app.add_option("--mqtt-name", mqtt.name, "of this camera: topics are fovea/NAME/...")->type_name("NAME")->capture_default_str();
}

}  // namespace

void add_watch_flags(CLI::App& app, WatchFlags& flags) {
  WatchOptions& options = flags.options;
  app.description(
      "A picture every ten minutes, its classes kept in a database.\n\n"
      "  fovea watch weather.safetensors timelapse --once\n"
      "  fovea watch weather.safetensors 'command:rpicam-still -n -o -' --place 48,11.6\n"
      "  fovea watch --database watch.db --report sky.html --csv sky.csv\n\n"
      "Goes on through everything that can happen to cameras, disks and clocks: a time\n"
      "without a picture is a record that says why, a time without a record is counted.\n"
      "SIGTERM or Ctrl-C ends it after the current picture; SIGHUP reads the model\n"
      "anew.\n"
      "Exit status 1: some times have no picture.");
  app.add_option("MODEL", options.model, "a model made by 'fovea train', or an Ultralytics classification checkpoint");
  app.add_option("CAMERA", options.camera,
                 "a folder, /dev/video0, rtsp://..., http://... or 'command:...', which prints a photo");
  app.add_flag("--once", options.once, "one picture now");
  add_amount(app, "--every", kTimes, "10m", "time between pictures, on the clock's grid [10m]",
             [&options](double s) { options.every = std::chrono::seconds(std::llround(s)); })
      ->check(CLI::Validator(
          [](const std::string& value) {
            constexpr double kRounding = 1e-6;  // of 1.1h, which is 3960 s
            const double seconds = amount(value, kTimes).value_or(0);
            return std::abs(seconds - std::round(seconds)) < kRounding
                       ? std::string()
                       : fmt::format("'{}' is no whole number of seconds, such as 10m", value);
          },
          ""));
  add_amount(app, "--time-limit", kTimes, "30s", "a camera that takes longer has failed [30s]",
             [&options](double s) { options.time_limit = std::chrono::milliseconds(static_cast<std::int64_t>(1000 * s)); });
  add_place(app, options);
  app.add_option("--database", options.database, "where records go")->type_name("FILE")->capture_default_str();
  add_choice<KeepPhotos>(app, "--keep", options.keep,
                         {{"all", KeepPhotos::kAll}, {"thumbnails", KeepPhotos::kThumbnails}, {"none", KeepPhotos::kNone}},
                         "which photos to keep [thumbnails]");
  app.add_option("--photos", options.photos, "folder of kept photos; else beside the database: watch.photos")
      ->type_name("FOLDER");
  add_amount(app, "--most", kSizes, "1G", "of kept photos together; the oldest are removed first [1G]",
             [&options](double bytes) { options.most_bytes = static_cast<std::int64_t>(bytes); });
  app.add_option("--report", options.page, "an HTML page that follows the database; without a CAMERA, written once")
      ->type_name("FILE");
  app.add_option("--csv", flags.csv, "every record of the database as a table, at the end; without a CAMERA, at once")
      ->type_name("FILE");
  add_mqtt(app, options.mqtt);
  add_compute_flags(app, flags.compute);
  add_output_flags(app, flags.output);
}

}  // namespace fovea::cli
