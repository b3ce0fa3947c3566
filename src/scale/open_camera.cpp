// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"
#include "data/photo_files.h"
#include "scale/checkout.h"

namespace fovea::checkout {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCommand = "command:";

bool is_live(const std::string& camera) {
  return camera.starts_with(kCommand) || camera.starts_with("/dev/") || camera.find("://") != std::string::npos;
}

Result<std::unique_ptr<video::Stream>> photos_of(const ScaleOptions& options) {
  Notes notes;
  std::vector<fs::path> photos = find_photos(options.camera, true, {}, notes);
  if (photos.empty()) return fail(Error::Kind::kNotFound, "camera '{}': a folder without photos", options.camera);
  return video::photo_stream(std::move(photos), options.hold, options.loop);
}

}  // namespace

bool is_recording(const std::string& camera) { return !is_live(camera); }

Result<std::unique_ptr<video::Stream>> open_camera(const ScaleOptions& options) {
  const std::string& camera = options.camera;
  if (camera.starts_with(kCommand)) {
    std::string command = camera.substr(kCommand.size());
    if (command.find_first_not_of(" \t") == std::string::npos) {
      return fail(Error::Kind::kUsage, "camera '{}': no command; for example 'command:rpicam-vid -t 0 -n --codec mjpeg -o -'",
                  camera);
    }
    return video::command_stream(std::move(command));
  }
  if (is_live(camera)) return video::camera_stream(camera);
  std::error_code error;
  if (fs::is_directory(camera, error)) return photos_of(options);
  if (fs::is_regular_file(camera, error) || camera.find('%') != std::string::npos) {
    return video::recording_stream(camera, options.loop);
  }
  return fail(Error::Kind::kNotFound,
              "camera '{}': no such file or folder; a camera is a device (/dev/video0), a stream (rtsp://...), 'command:...', a "
              "video file, or a folder of photos",
              camera);
}

}  // namespace fovea::checkout
