// SPDX-License-Identifier: Apache-2.0
#include "video/frame_reader.h"

extern "C" {
#include <libavdevice/avdevice.h>
#include <libavutil/display.h>
}

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>

#include "core/error.h"
#include "image/raster.h"
#include "image/resize.h"
#include "video/ffmpeg.h"
#include "video/to_image.h"
#include "video/turn.h"

namespace fovea::video {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// Damaged packets in a row before it is called damage without end.
constexpr int kMostDamaged = 100;

/// Numbered pictures may begin anywhere below.
constexpr int kNumberRange = 100000;
/// So far behind a missing one is looked for others.
constexpr int kWidestGap = 1000;

bool is_device(const std::string& address) { return address.starts_with("/dev/"); }

/// How a player turns the frames, as Exif says it. The matrix turns counter-clockwise.
int orientation_of(const AVStream& stream) {
  const auto* matrix =
      reinterpret_cast<const std::int32_t*>(av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, nullptr));
  if (matrix == nullptr) return 1;
  const double clockwise = -av_display_rotation_get(matrix);
  if (std::isnan(clockwise)) return 1;
  switch ((static_cast<int>(std::lround(clockwise / 90)) % 4 + 4) % 4) {
    case 1: return 6;
    case 2: return 3;
    case 3: return 8;
    default: return 1;
  }
}

/// The size that frames of `width` by `height` pixels (upright) have on a screen, whose pixels are square: the shorter of a
/// pixel's sides is stretched, so nothing is lost.
std::pair<int, int> on_screen(int width, int height, AVRational pixel, bool sideways) {
  constexpr double kMost = 4;  // beyond, the file talks nonsense
  double wide = pixel.num > 0 && pixel.den > 0 ? av_q2d(pixel) : 1;
  if (sideways) wide = 1 / wide;
  if (wide > kMost || wide < 1 / kMost) wide = 1;
  return wide >= 1 ? std::pair(static_cast<int>(std::lround(width * wide)), height)
                   : std::pair(width, static_cast<int>(std::lround(height / wide)));
}

/// A JPEG without its end marker: a connection that broke off. Decoders paint the rest grey and say nothing. Cameras pad pictures
/// with zeros.
bool breaks_off(const AVPacket& packet) {
  int end = packet.size;
  while (end > 0 && packet.data[end - 1] == 0) --end;
  constexpr int kMostBehind = 512;
  for (int at = end - 2; at >= 0 && at > end - kMostBehind; --at) {
    if (packet.data[at] == 0xFF && packet.data[at + 1] == 0xD9) return false;
  }
  return true;
}

/// What the driver's answer means of a camera.
std::string hint_for(const std::string& address, int code) {
  if (!is_device(address)) return {};
  if (code == AVERROR(ENOTTY)) return "; it is no camera that gives pictures (V4L2 video capture)";
  if (code == AVERROR(EBUSY)) return "; another program is using the camera";
  return {};
}

Error error_for(const std::string& address, int code, bool late, std::chrono::milliseconds limit) {
  if (late) return fail(Error::Kind::kIo, "{}: nothing came within {} ms", address, limit.count());
  const Error::Kind kind = code == AVERROR(ENOENT)                                                  ? Error::Kind::kNotFound
                           : code == AVERROR_INVALIDDATA                                            ? Error::Kind::kFormat
                           : code == AVERROR(EPROTONOSUPPORT) || code == AVERROR_PROTOCOL_NOT_FOUND ? Error::Kind::kUnsupported
                                                                                                    : Error::Kind::kIo;
  return fail(kind, "{}: {}{}", address, text_of(code), hint_for(address, code));
}

}  // namespace

class FrameReader::Impl {
 public:
  Impl(std::string address, const ReaderOptions& options) : address_(std::move(address)), options_(options) {}

  Result<void> open() {
    av_log_set_level(AV_LOG_QUIET);  // the library does not print; errors come as codes
    avdevice_register_all();
    FOVEA_TRY(open_input());
    FOVEA_TRY(open_codec());
    packet_.reset(av_packet_alloc());
    frame_.reset(av_frame_alloc());
    if (!packet_ || !frame_) return fail(Error::Kind::kLimit, "{}: out of memory", address_);
    return {};
  }

  Result<std::optional<Frame>> next() {
    FOVEA_ASSIGN(const bool found, decode());
    if (!found && broke_off_) return fail(Error::Kind::kFormat, "{}: ended in the middle of a picture", address_);
    if (!found) return std::optional<Frame>();
    if (options_.planes && has_plain_planes() && !stretched_) {
      FOVEA_ASSIGN(Frame as_stored, planes());
      if (info_.orientation == 1) return std::optional(std::move(as_stored));
      if (can_turn(*as_stored.planes, info_.orientation)) {
        const TurnedFrame frame = turned(*as_stored.planes, info_.orientation);
        return std::optional(Frame{{}, seconds_, frame.view, frame.owner});
      }
    }
    auto image = to_image_(*frame_, info_.orientation, options_.fast_colours);
    if (!image) return fail(image.error().kind, "{}: {}", address_, image.error().message);
    if (stretched_) *image = resize(*image, info_.width, info_.height, Filter::kBilinear);
    return std::optional<Frame>(Frame{std::move(*image), seconds_, {}, {}});
  }

  Result<bool> skip() { return decode(); }
  [[nodiscard]] const VideoInfo& info() const { return info_; }
  [[nodiscard]] std::int64_t damaged() const { return damaged_; }

 private:
  [[nodiscard]] bool has_plain_planes() const {
    return frame_->format == AV_PIX_FMT_YUV420P || frame_->format == AV_PIX_FMT_YUVJ420P;
  }

  /// The decoder's own memory, of which it may still read: nobody writes there. As it lies there, upright or not.
  Result<Frame> planes() {
    const std::shared_ptr<AVFrame> kept(av_frame_clone(frame_.get()), FreeFrame());
    if (!kept) return fail(Error::Kind::kLimit, "{}: out of memory", address_);
    YuvFrame view{.width = kept->width, .height = kept->height, .matrix = matrix_of(*kept), .full_range = is_full_range(*kept)};
    for (std::size_t i = 0; i < view.planes.size(); ++i) {
      view.planes[i] = kept->data[i];
      view.strides[i] = kept->linesize[i];
    }
    return Frame{{}, seconds_, view, kept};
  }

  void start_limit() { deadline_ = SteadyClock::now() + options_.limit; }
  [[nodiscard]] bool late() const { return SteadyClock::now() >= deadline_; }
  /// Of numbered pictures the one that was to come next, if it is not there but one behind it is.
  [[nodiscard]] std::optional<Error> gap() const {
    if (std::string_view(input_->iformat->name) != "image2") return std::nullopt;
    std::array<char, 4096> name{};
    const auto exists = [&](int number) {
      std::error_code none;
      return av_get_frame_filename(name.data(), static_cast<int>(name.size()), address_.c_str(), number) >= 0 &&
             std::filesystem::exists(name.data(), none);
    };
    int number = 0;
    while (number < kNumberRange && !exists(number)) ++number;
    number += packets_;
    if (exists(number)) return std::nullopt;
    const std::string missing(name.data());
    for (int ahead = 1; ahead <= kWidestGap; ++ahead) {
      if (!exists(number + ahead)) continue;
      return fail(Error::Kind::kNotFound, "{} is not there, but {} is; pictures are numbered without gaps", missing, name.data());
    }
    return std::nullopt;
  }
  [[nodiscard]] Error error(int code) const { return error_for(address_, code, code == AVERROR_EXIT || late(), options_.limit); }

  Result<void> open_input() {
    start_limit();
    AVFormatContext* context = avformat_alloc_context();
    if (context == nullptr) return fail(Error::Kind::kLimit, "{}: out of memory", address_);
    context->interrupt_callback = {[](void* self) { return static_cast<Impl*>(self)->late() ? 1 : 0; }, this};
    const AVInputFormat* format = nullptr;
    if (is_device(address_)) {
      format = av_find_input_format("video4linux2");
      context->flags |= AVFMT_FLAG_NONBLOCK;  // the driver's own wait knows no limit
    }
    // No AVFMT_FLAG_NOBUFFER for live ones: what is read to know the stream would be lost, of a camera that gives one JPEG all of
    // it.
    AVDictionary* settings = nullptr;
    av_dict_set(&settings, "rtsp_transport", "tcp", 0);  // over UDP a lost packet is a torn picture
    av_dict_set_int(&settings, "start_number_range", kNumberRange, 0);
    if (options_.frames_per_second > 0)
      av_dict_set(&settings, "framerate", fmt::format("{}", options_.frames_per_second).c_str(), 0);
    const int code = avformat_open_input(&context, address_.c_str(), format, &settings);
    av_dict_free(&settings);
    if (code < 0) return error(code);  // it has freed the context
    input_.reset(context);
    if (format == nullptr) {
      if (const int found = avformat_find_stream_info(context, nullptr); found < 0) return error(found);
    }
    return {};
  }

  Result<void> open_codec() {
    const AVCodec* codec = nullptr;
    const int index = av_find_best_stream(input_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
    if (index < 0) return fail(Error::Kind::kFormat, "{}: holds no video that this build can decode", address_);
    stream_ = input_->streams[index];
    const AVCodecParameters& parameters = *stream_->codecpar;
    if (std::int64_t{parameters.width} * parameters.height > options_.max_pixels) {
      return fail(Error::Kind::kLimit, "{}: {} by {} pixels, more than the limit of {}", address_, parameters.width,
                  parameters.height, options_.max_pixels);
    }
    codec_.reset(avcodec_alloc_context3(codec));
    if (!codec_) return fail(Error::Kind::kLimit, "{}: out of memory", address_);
    if (const int code = avcodec_parameters_to_context(codec_.get(), &parameters); code < 0) return error(code);
    codec_->max_pixels = options_.max_pixels;
    codec_->pkt_timebase = stream_->time_base;
    codec_->thread_count = options_.live ? 1 : 0;  // 0: as many as there are processors, each of which holds a frame back
    if (options_.live) codec_->flags |= AV_CODEC_FLAG_LOW_DELAY;
    if (const int code = avcodec_open2(codec_.get(), codec, nullptr); code < 0) return error(code);
    info_.orientation = orientation_of(*stream_);
    const bool sideways = turns_sideways(info_.orientation);
    const int width = sideways ? parameters.height : parameters.width;
    const int height = sideways ? parameters.width : parameters.height;
    const AVRational pixel = av_guess_sample_aspect_ratio(input_.get(), stream_, nullptr);
    std::tie(info_.width, info_.height) = on_screen(width, height, pixel, sideways);
    stretched_ = info_.width != width || info_.height != height;
    const AVRational rate = stream_->avg_frame_rate;
    if (rate.num > 0 && rate.den > 0) info_.frames_per_second = av_q2d(rate);
    if (stream_->duration > 0) {
      info_.seconds = static_cast<double>(stream_->duration) * av_q2d(stream_->time_base);
    } else if (input_->duration > 0) {  // with its sound
      info_.seconds = static_cast<double>(input_->duration) / AV_TIME_BASE;
    }
    info_.codec = codec->name;
    info_.primaries = parameters.color_primaries;
    info_.transfer = parameters.color_trc;
    return {};
  }

  /// The next decoded frame into frame_; false at the end.
  Result<bool> decode() {
    start_limit();
    for (int passed_over = 0; passed_over <= kMostDamaged;) {
      const int code = avcodec_receive_frame(codec_.get(), frame_.get());
      if (code == 0) {
        damaged_ += passed_over;
        if (frame_->decode_error_flags != 0 || (frame_->flags & AV_FRAME_FLAG_CORRUPT) != 0) ++damaged_;
        note_time();
        return true;
      }
      if (code == AVERROR_EOF) {
        damaged_ += passed_over;
        return gap_ ? Result<bool>(*gap_) : false;
      }
      if (code != AVERROR(EAGAIN)) ++passed_over;
      FOVEA_ASSIGN(const bool fed, feed());
      if (!fed) ++passed_over;
    }
    return fail(Error::Kind::kFormat, "{}: nothing but damaged frames", address_);
  }

  /// The next packet of the stream into the decoder, or the news that there is none; false for a damaged one.
  Result<bool> feed() {
    while (true) {
      const int code = av_read_frame(input_.get(), packet_.get());
      if (code == AVERROR(EAGAIN) && !late()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        continue;
      }
      if (code < 0) gap_ = gap();
      if (code == AVERROR_EOF || gap_) {
        avcodec_send_packet(codec_.get(), nullptr);
        return true;
      }
      if (code < 0) return error(code);
      if (late()) return error(AVERROR_EXIT);
      if (packet_->stream_index != stream_->index) {
        av_packet_unref(packet_.get());
        continue;
      }
      ++packets_;
      broke_off_ = codec_->codec_id == AV_CODEC_ID_MJPEG && breaks_off(*packet_);
      const int sent = broke_off_ ? AVERROR_INVALIDDATA : avcodec_send_packet(codec_.get(), packet_.get());
      av_packet_unref(packet_.get());
      return sent >= 0;
    }
  }

  void note_time() {
    const std::int64_t time = frame_->best_effort_timestamp;
    if (time == AV_NOPTS_VALUE) return;
    if (!first_time_) first_time_ = time;
    seconds_ = static_cast<double>(time - *first_time_) * av_q2d(stream_->time_base);
  }

  std::string address_;
  ReaderOptions options_;
  SteadyClock::time_point deadline_;
  Input input_;
  AVStream* stream_ = nullptr;  ///< of input_
  Codec codec_;
  Packet packet_;
  DecodedFrame frame_;
  ToImage to_image_;
  VideoInfo info_;
  std::optional<std::int64_t> first_time_;
  double seconds_ = 0.0;  ///< of frame_, since the first
  std::int64_t damaged_ = 0;
  int packets_ = 0;  ///< of the video, read so far
  std::optional<Error> gap_;
  bool broke_off_ = false;  ///< the last packet
  bool stretched_ = false;  ///< what is shown is larger than what is stored, whose pixels are not square
};

FrameReader::FrameReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FrameReader::FrameReader(FrameReader&&) noexcept = default;
FrameReader& FrameReader::operator=(FrameReader&&) noexcept = default;
FrameReader::~FrameReader() = default;

Result<FrameReader> FrameReader::open(const std::string& address, const ReaderOptions& options) {
  auto impl = std::make_unique<Impl>(address, options);
  FOVEA_TRY(impl->open());
  return FrameReader(std::move(impl));
}

Result<std::optional<Frame>> FrameReader::next() { return impl_->next(); }
Result<bool> FrameReader::skip() { return impl_->skip(); }
const VideoInfo& FrameReader::info() const { return impl_->info(); }
std::int64_t FrameReader::damaged() const { return impl_->damaged(); }

}  // namespace fovea::video
