// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/shell_command.h"
#include "image/decode.h"
#include "video/frame_reader.h"
#include "video/jpeg_splitter.h"
#include "video/live.h"

namespace fovea::video {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// A camera that gives nothing for so long is lost.
constexpr milliseconds kLimit{5000};
/// One that ends at once must not keep the machine busy with starting it.
constexpr milliseconds kBetweenStarts{40};

class CameraStream final : public Stream {
 public:
  explicit CameraStream(std::string address) : address_(std::move(address)) {}

  Result<std::optional<Image>> next() override {
    while (true) {
      if (!reader_) FOVEA_TRY(open());
      Result<std::optional<Frame>> frame = reader_->next();
      if (frame && *frame) {
        given_ = true;
        return std::optional(std::move((*frame)->image));
      }
      reader_.reset();
      if (!frame) return frame.error();
      // One that gives a picture and ends is asked for the next one: so do cameras with an address for a photo.
      if (!given_) return fail(Error::Kind::kIo, "{}: ended without a picture", address_);
    }
  }

 private:
  Result<void> open() {
    std::this_thread::sleep_until(opened_ + kBetweenStarts);
    opened_ = Clock::now();
    given_ = false;
    ReaderOptions options;
    options.limit = kLimit;
    options.live = true;
    FOVEA_ASSIGN(reader_, FrameReader::open(address_, options));
    return {};
  }

  std::string address_;
  std::optional<FrameReader> reader_;
  bool given_ = false;  ///< a picture, since it was opened
  Clock::time_point opened_{};
};

class RecordingStream final : public Stream {
 public:
  RecordingStream(std::string address, bool loop) : address_(std::move(address)), loop_(loop) {}

  Result<std::optional<Image>> next() override {
    const bool begins = !reader_;
    if (begins) {
      FOVEA_ASSIGN(reader_, FrameReader::open(address_));
      start_ = Clock::now();
    }
    Result<std::optional<Frame>> frame = reader_->next();
    if (!frame) {
      reader_.reset();
      return frame.error();
    }
    if (!*frame) {
      if (begins) return fail(Error::Kind::kFormat, "{}: ended without a picture", address_);
      if (!loop_) return std::optional<Image>();
      reader_.reset();
      return next();
    }
    std::this_thread::sleep_until(start_ +
                                  std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>((*frame)->seconds)));
    return std::optional(std::move((*frame)->image));
  }

 private:
  std::string address_;
  bool loop_;
  std::optional<FrameReader> reader_;
  Clock::time_point start_;
};

class CommandStream final : public Stream {
 public:
  explicit CommandStream(std::string command) : command_(std::move(command)) {}

  Result<std::optional<Image>> next() override {
    const auto deadline = Clock::now() + kLimit;
    std::array<std::byte, 65536> block;
    while (true) {
      if (!running_) {
        FOVEA_TRY(start());
      }
      Result<std::optional<std::vector<std::byte>>> jpeg = splitter_.next();
      if (!jpeg) return stop(fail(jpeg.error().kind, "the camera's command gave {}", jpeg.error().message));
      if (*jpeg) {
        given_ = true;
        Result<Image> image = decode_image(**jpeg);
        if (!image) return fail(image.error().kind, "the camera's picture: {}", image.error().message);
        return std::optional(std::move(*image));
      }
      const auto got = running_->read(block, deadline);
      if (!got) return stop(got.error());
      if (!*got) return stop(fail(Error::Kind::kIo, "the camera's command gave no picture within {} ms", kLimit.count()));
      if (**got > 0) {
        splitter_.add(std::span(block).first(**got));
        continue;
      }
      const std::optional<int> status = running_->wait(deadline);
      // One that prints a picture and ends is asked for the next one.
      if (status != std::optional(0) || !given_) {
        return stop(fail(Error::Kind::kIo, "the camera's command {}{}", status ? ending_text(*status) : "does not end",
                         given_ ? "" : " and printed no JPEG"));
      }
      running_.reset();
    }
  }

 private:
  Result<void> start() {
    std::this_thread::sleep_until(started_ + kBetweenStarts);
    started_ = Clock::now();
    splitter_ = {};
    given_ = false;
    Result<ShellCommand> command = ShellCommand::start(command_);
    if (!command) return command.error();
    running_.emplace(std::move(*command));
    return {};
  }
  Error stop(Error error) {
    running_.reset();
    return error;
  }

  std::string command_;
  std::optional<ShellCommand> running_;
  JpegSplitter splitter_;
  bool given_ = false;  ///< a picture, since it was started
  Clock::time_point started_{};
};

class PhotoStream final : public Stream {
 public:
  PhotoStream(std::vector<std::filesystem::path> photos, milliseconds hold, bool loop)
      : photos_(std::move(photos)), hold_(hold), loop_(loop) {}

  Result<std::optional<Image>> next() override {
    if (shown_ && Clock::now() - since_ < hold_) {
      std::this_thread::sleep_for(kBetween);
      return shown_;
    }
    shown_.reset();
    if (place_ == photos_.size()) {
      if (!loop_) return std::optional<Image>();
      place_ = 0;
    }
    FOVEA_ASSIGN(shown_, load_image(photos_[place_++]));
    since_ = Clock::now();
    return shown_;
  }

 private:
  static constexpr milliseconds kBetween{100};
  std::vector<std::filesystem::path> photos_;
  milliseconds hold_;
  bool loop_;
  std::size_t place_ = 0;
  std::optional<Image> shown_;
  Clock::time_point since_{};
};

}  // namespace

std::unique_ptr<Stream> camera_stream(std::string address) { return std::make_unique<CameraStream>(std::move(address)); }

std::unique_ptr<Stream> recording_stream(std::string address, bool loop) {
  return std::make_unique<RecordingStream>(std::move(address), loop);
}

std::unique_ptr<Stream> command_stream(std::string command) { return std::make_unique<CommandStream>(std::move(command)); }

std::unique_ptr<Stream> photo_stream(std::vector<std::filesystem::path> photos, milliseconds hold, bool loop) {
  return std::make_unique<PhotoStream>(std::move(photos), hold, loop);
}

}  // namespace fovea::video
