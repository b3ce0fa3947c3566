// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"
#include "image/encode.h"
#include "video/frame_reader.h"
#include "watch/source.h"

namespace fovea::watching {
namespace {

using SteadyClock = std::chrono::steady_clock;

// A camera that has just been opened is still finding its exposure and white balance.
constexpr int kFramesToSettle = 12;
constexpr int kQuality = 95;

/// Opened for each picture: ten minutes are longer than most connections live, and a camera that is plugged in again is found.
class VideoSource final : public Source {
 public:
  VideoSource(std::string address, int skipped) : address_(std::move(address)), skipped_(skipped) {}

  Result<Picture> take(std::chrono::milliseconds limit) override {
    const auto deadline = SteadyClock::now() + limit;
    video::ReaderOptions options;
    options.limit = limit;
    FOVEA_ASSIGN(video::FrameReader reader, video::FrameReader::open(address_, options));
    for (int i = 0; i < skipped_; ++i) {
      FOVEA_ASSIGN(const bool more, reader.skip());
      if (!more) break;
      if (SteadyClock::now() >= deadline) return fail(Error::Kind::kIo, "{}: no picture within {} ms", address_, limit.count());
    }
    FOVEA_ASSIGN(const std::optional<video::Frame> frame, reader.next());
    if (!frame) return fail(Error::Kind::kFormat, "{}: ended without a picture", address_);
    return encode_jpeg(frame->image, kQuality);
  }

 private:
  std::string address_;
  int skipped_;
};

}  // namespace

std::unique_ptr<Source> video_source(std::string address) {
  const int skipped = address.starts_with("/dev/") ? kFramesToSettle : 0;
  return std::make_unique<VideoSource>(std::move(address), skipped);
}

}  // namespace fovea::watching
