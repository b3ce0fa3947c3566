// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"
#include "watch/source.h"

namespace fovea::watching {

Result<std::unique_ptr<Source>> open_source(const std::string& camera, std::optional<std::chrono::seconds> most_age) {
  constexpr std::string_view kCommand = "command:";
  if (camera.starts_with(kCommand)) {
    std::string command = camera.substr(kCommand.size());
    if (command.find_first_not_of(" \t") == std::string::npos) {
      return fail(Error::Kind::kUsage, "camera '{}': no command; for example 'command:rpicam-still -n -o -'", camera);
    }
    return limited_source(command_source(std::move(command)));
  }
  if (camera.starts_with("/dev/") || camera.find("://") != std::string::npos) return limited_source(video_source(camera));
  std::error_code error;
  if (std::filesystem::is_directory(camera, error))
    return limited_source(folder_source(camera, std::chrono::seconds(1), most_age));
  if (std::filesystem::is_regular_file(camera, error)) {
    return fail(Error::Kind::kUsage, "camera '{}': is a file; 'fovea predict' is for photos", camera);
  }
  return fail(
      Error::Kind::kNotFound,
      "camera '{}': no such folder; a camera is a folder that photos come to, a device (/dev/video0), a stream (rtsp://...) or "
      "'command:...'",
      camera);
}

}  // namespace fovea::watching
