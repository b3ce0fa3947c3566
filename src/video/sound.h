// Fovea: a file's sound, packet by packet as it is.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "fovea/result.h"
#include "video/ffmpeg.h"

namespace fovea::video {

class Sound {
 public:
  /// The best sound of `path`. kNotFound where it has none.
  static Result<Sound> open(const std::string& path);

  [[nodiscard]] const AVCodecParameters& parameters() const { return *stream_->codecpar; }
  [[nodiscard]] AVRational time_base() const { return stream_->time_base; }

  /// The next packet if it begins before `seconds` (since the first picture of the file), else null; the caller may move its
  /// content out. Packets from before the first picture are passed over.
  AVPacket* next_before(double seconds);

 private:
  Sound() = default;
  bool read();

  Input input_;
  Packet packet_;
  AVStream* stream_ = nullptr;  ///< of input_
  double start_ = 0;            ///< of the pictures, in seconds of the file
  bool held_ = false;           ///< packet_ is not handed out yet
  bool ended_ = false;
};

}  // namespace fovea::video
