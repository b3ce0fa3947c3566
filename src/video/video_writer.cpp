// SPDX-License-Identifier: Apache-2.0
#include "video/video_writer.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <span>
#include <utility>

extern "C" {
#include <libavutil/imgutils.h>
}

#include "core/error.h"
#include "image/yuv.h"
#include "video/ffmpeg.h"
#include "video/sound.h"

namespace fovea::video {
namespace {

namespace fs = std::filesystem;

constexpr AVRational kClock{1, 90000};  // fine enough for every frame rate in use

struct FreeOutput {
  void operator()(AVFormatContext* context) const {
    if (context->pb != nullptr) avio_closep(&context->pb);
    avformat_free_context(context);
  }
};
using Output = std::unique_ptr<AVFormatContext, FreeOutput>;

struct Encoder {
  const char* name;
  std::array<std::pair<const char*, const char*>, 5> settings;
};

// The first that this FFmpeg has, at a speed that keeps up with a film: a slower preset would halve the file and double the time.
constexpr Encoder kMp4[] = {
    {"libx264", {{{"preset", "ultrafast"}, {"crf", "23"}}}}, {"libopenh264", {}}, {"h264", {}}, {"mpeg4", {}}};
constexpr Encoder kWebm[] = {
    {"libvpx-vp9", {{{"deadline", "realtime"}, {"cpu-used", "8"}, {"row-mt", "1"}, {"crf", "32"}, {"b", "0"}}}},
    {"libvpx", {{{"deadline", "realtime"}, {"cpu-used", "8"}, {"crf", "10"}}}}};

AVColorSpace space_of(YuvMatrix matrix) {
  switch (matrix) {
    case YuvMatrix::kBt601: return AVCOL_SPC_SMPTE170M;
    case YuvMatrix::kBt2020: return AVCOL_SPC_BT2020_NCL;
    case YuvMatrix::kBt709: break;
  }
  return AVCOL_SPC_BT709;
}

Result<std::string> container_of(const std::string& address, const WriterOptions& options) {
  if (!options.container.empty()) return options.container;
  const std::string extension = fs::path(address).extension().string();
  if (extension == ".webm") return std::string("webm");
  if (extension.empty() || extension == ".mp4" || extension == ".m4v" || extension == ".mov") return std::string("mp4");
  return fail(Error::Kind::kUsage, "{}: the name says neither .mp4 nor .webm; give one of them, or a container", address);
}

}  // namespace

class VideoWriter::Impl {
 public:
  explicit Impl(std::string address) : address_(std::move(address)) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    output_.reset();
    std::error_code ignored;
    if (!temporary_.empty()) fs::remove(temporary_, ignored);
  }

  Result<void> open(const WriterOptions& options) {
    FOVEA_ASSIGN(const std::string container, container_of(address_, options));
    if (container != "mp4" && container != "webm") {
      return fail(Error::Kind::kUsage, "container '{}': expected mp4 or webm", container);
    }
    width_ = options.width & ~1;
    height_ = options.height & ~1;
    if (width_ < 2 || height_ < 2) {
      return fail(Error::Kind::kUnsupported, "{}: pictures of {} by {} pixels make no video", address_, options.width,
                  options.height);
    }
    AVFormatContext* context = nullptr;
    if (avformat_alloc_output_context2(&context, nullptr, container.c_str(), nullptr) < 0) {
      return fail(Error::Kind::kUnsupported, "{}: FFmpeg cannot write {}", address_, container);
    }
    output_.reset(context);
    colours_ = {.width = width_, .height = height_, .matrix = options.matrix, .full_range = options.full_range};
    FOVEA_TRY(open_codec(container == "mp4" ? std::span<const Encoder>(kMp4) : kWebm, options));
    FOVEA_TRY(open_sound(options.sound_from));
    return open_file(container);
  }

  Result<YuvCanvas> stage(const Image& picture) {
    FOVEA_TRY(check_size(picture.width, picture.height));
    FOVEA_TRY(convert(picture));
    return canvas();
  }

  Result<YuvCanvas> stage(const YuvFrame& picture) {
    FOVEA_TRY(check_size(picture.width, picture.height));
    if (picture.matrix != colours_.matrix || picture.full_range != colours_.full_range) {
      return stage(resize(picture, picture.width, picture.height, Filter::kBilinear, {0, 0, picture.width, picture.height}));
    }
    if (const int code = av_frame_make_writable(frame_.get()); code < 0) return error(code);
    for (int plane = 0; plane < 3; ++plane) {
      const int halves = plane == 0 ? 1 : 2;
      const auto i = static_cast<std::size_t>(plane);
      av_image_copy_plane(frame_->data[plane], frame_->linesize[plane], picture.planes[i], static_cast<int>(picture.strides[i]),
                          width_ / halves, height_ / halves);
    }
    return canvas();
  }

  Result<void> write(double seconds) {
    last_ = std::max(last_ + 1, static_cast<std::int64_t>(std::llround(seconds / av_q2d(kClock))));
    frame_->pts = last_;
    FOVEA_TRY(copy_sound(seconds));
    if (const int code = avcodec_send_frame(codec_.get(), frame_.get()); code < 0) return error(code);
    return drain();
  }

  Result<void> finish(bool all_sound) {
    if (const int code = avcodec_send_frame(codec_.get(), nullptr); code < 0) return error(code);
    FOVEA_TRY(drain());
    FOVEA_TRY(copy_sound(all_sound ? 1e9 : static_cast<double>(last_ + duration_) * av_q2d(kClock)));
    if (const int code = av_write_trailer(output_.get()); code < 0) return error(code);
    const int closed = avio_closep(&output_->pb);
    if (closed < 0) return error(closed);
    if (temporary_.empty()) return {};
    std::error_code failure;
    fs::rename(temporary_, address_, failure);
    if (failure) return fail(Error::Kind::kIo, "{}: {}", address_, failure.message());
    temporary_.clear();
    return {};
  }

  [[nodiscard]] const std::string& codec() const { return codec_name_; }
  [[nodiscard]] const std::optional<std::string>& no_sound() const { return no_sound_; }

 private:
  [[nodiscard]] Error error(int code) const { return fail(Error::Kind::kIo, "{}: {}", address_, text_of(code)); }

  Result<void> open_codec(std::span<const Encoder> choices, const WriterOptions& options) {
    const AVCodec* codec = nullptr;
    const Encoder* chosen = nullptr;
    for (const Encoder& choice : choices) {
      if (codec == nullptr) {
        codec = avcodec_find_encoder_by_name(choice.name);
        chosen = &choice;
      }
    }
    if (codec == nullptr) return fail(Error::Kind::kUnsupported, "{}: FFmpeg has no encoder for it here", address_);
    codec_.reset(avcodec_alloc_context3(codec));
    if (!codec_) return fail(Error::Kind::kLimit, "{}: out of memory", address_);
    const double rate = std::clamp(options.frames_per_second, 0.1, 1000.0);
    duration_ = std::llround(1 / rate / av_q2d(kClock));
    codec_->width = width_;
    codec_->height = height_;
    codec_->pix_fmt = AV_PIX_FMT_YUV420P;
    codec_->time_base = kClock;
    codec_->framerate = av_d2q(rate, 100000);
    codec_->gop_size = std::max(1, static_cast<int>(std::lround(rate * 4)));
    codec_->color_range = options.full_range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    codec_->colorspace = space_of(options.matrix);
    codec_->color_primaries = static_cast<AVColorPrimaries>(options.primaries);
    codec_->color_trc = static_cast<AVColorTransferCharacteristic>(options.transfer);
    codec_->thread_count = 0;
    if ((output_->oformat->flags & AVFMT_GLOBALHEADER) != 0) codec_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    AVDictionary* settings = nullptr;
    for (const auto& [name, value] : chosen->settings) {
      if (name != nullptr) av_dict_set(&settings, name, value, 0);
    }
    const int opened = avcodec_open2(codec_.get(), codec, &settings);
    av_dict_free(&settings);
    if (opened < 0) return error(opened);
    codec_name_ = codec->name;
    stream_ = avformat_new_stream(output_.get(), nullptr);
    if (stream_ == nullptr) return fail(Error::Kind::kLimit, "{}: out of memory", address_);
    stream_->time_base = kClock;
    stream_->avg_frame_rate = codec_->framerate;
    if (const int code = avcodec_parameters_from_context(stream_->codecpar, codec_.get()); code < 0) return error(code);
    frame_.reset(av_frame_alloc());
    packet_.reset(av_packet_alloc());
    if (!frame_ || !packet_) return fail(Error::Kind::kLimit, "{}: out of memory", address_);
    frame_->width = width_;
    frame_->height = height_;
    frame_->format = codec_->pix_fmt;
    frame_->colorspace = codec_->colorspace;
    frame_->color_range = codec_->color_range;
    if (const int code = av_frame_get_buffer(frame_.get(), 0); code < 0) return error(code);
    return {};
  }

  Result<void> open_sound(const std::string& from) {
    if (from.empty()) return {};
    auto sound = Sound::open(from);
    if (!sound) {
      if (sound.error().kind != Error::Kind::kNotFound) no_sound_ = sound.error().message;  // a silent film has none to lose
      return {};
    }
    const AVCodecID id = sound->parameters().codec_id;
    if (avformat_query_codec(output_->oformat, id, FF_COMPLIANCE_NORMAL) != 1) {
      no_sound_ = fmt::format("{}: sound as {} does not go into {}", from, avcodec_get_name(id), output_->oformat->name);
      return {};
    }
    sound_stream_ = avformat_new_stream(output_.get(), nullptr);
    if (sound_stream_ == nullptr) return fail(Error::Kind::kLimit, "{}: out of memory", address_);
    if (const int code = avcodec_parameters_copy(sound_stream_->codecpar, &sound->parameters()); code < 0) return error(code);
    sound_stream_->codecpar->codec_tag = 0;  // each container has its own
    sound_stream_->time_base = sound->time_base();
    sound_.emplace(std::move(*sound));
    return {};
  }

  Result<void> open_file(const std::string& container) {
    const bool pipe = address_ == "-";
    if (!pipe) temporary_ = address_ + ".part";
    const std::string target = pipe ? "pipe:1" : "file:" + temporary_;
    if (const int code = avio_open(&output_->pb, target.c_str(), AVIO_FLAG_WRITE); code < 0) {
      temporary_.clear();
      return error(code);
    }
    output_->url = av_strdup(target.c_str());  // "faststart" reads the file again
    AVDictionary* settings = nullptr;
    if (container == "mp4") {
      av_dict_set_int(&settings, "movie_timescale", kClock.den, 0);  // a sound that begins late would be off by up to 1 ms
      av_dict_set(&settings, "movflags", pipe ? "frag_keyframe+empty_moov+default_base_moof" : "faststart", 0);
    }
    const int code = avformat_write_header(output_.get(), &settings);
    av_dict_free(&settings);
    return code < 0 ? Result<void>(error(code)) : Result<void>();
  }

  [[nodiscard]] Result<void> check_size(int width, int height) const {
    if ((width & ~1) == width_ && (height & ~1) == height_) return {};
    return fail(Error::Kind::kUnsupported, "{}: a picture of {} by {} pixels in a video of {} by {}", address_, width, height,
                width_, height_);
  }

  Result<void> convert(const Image& picture) {
    if (!scaler_) {
      scaler_.reset(sws_getContext(width_, height_, AV_PIX_FMT_RGB24, width_, height_, AV_PIX_FMT_YUV420P, SWS_BILINEAR, nullptr,
                                   nullptr, nullptr));
      if (!scaler_) return fail(Error::Kind::kLimit, "{}: out of memory", address_);
      const int* table = sws_getCoefficients(space_of(colours_.matrix));  // it knows them by the same numbers
      sws_setColorspaceDetails(scaler_.get(), table, 1, table, colours_.full_range ? 1 : 0, 0, 1 << 16, 1 << 16);
    }
    if (const int code = av_frame_make_writable(frame_.get()); code < 0) return error(code);
    const std::uint8_t* const rows[] = {picture.pixels.data()};
    const int strides[] = {3 * picture.width};
    sws_scale(scaler_.get(), rows, strides, 0, height_, frame_->data, frame_->linesize);
    return {};
  }

  [[nodiscard]] YuvCanvas canvas() const {
    YuvCanvas canvas = colours_;
    for (std::size_t i = 0; i < canvas.planes.size(); ++i) {
      canvas.planes[i] = frame_->data[i];
      canvas.strides[i] = frame_->linesize[i];
    }
    return canvas;
  }

  /// What the encoder has ready.
  Result<void> drain() {
    while (true) {
      const int code = avcodec_receive_packet(codec_.get(), packet_.get());
      if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return {};
      if (code < 0) return error(code);
      if (packet_->duration == 0) packet_->duration = duration_;
      FOVEA_TRY(put(*packet_, *stream_, kClock));
    }
  }

  Result<void> copy_sound(double until) {
    while (AVPacket* packet = sound_ ? sound_->next_before(until) : nullptr) {
      FOVEA_TRY(put(*packet, *sound_stream_, sound_->time_base()));
    }
    return {};
  }

  Result<void> put(AVPacket& packet, const AVStream& stream, AVRational clock) {
    av_packet_rescale_ts(&packet, clock, stream.time_base);
    packet.stream_index = stream.index;
    packet.pos = -1;
    const int code = av_interleaved_write_frame(output_.get(), &packet);
    return code < 0 ? Result<void>(error(code)) : Result<void>();
  }

  std::string address_;
  std::string temporary_;  ///< that the file has until it is complete
  int width_ = 0;
  int height_ = 0;
  YuvCanvas colours_;  ///< of the video; no planes
  Output output_;
  Codec codec_;
  std::string codec_name_;
  AVStream* stream_ = nullptr;        ///< of output_
  AVStream* sound_stream_ = nullptr;  ///< of output_
  std::optional<Sound> sound_;
  std::optional<std::string> no_sound_;
  DecodedFrame frame_;
  Packet packet_;
  Scaler scaler_;
  std::int64_t last_ = -1;     ///< time of the last picture, in ticks of kClock
  std::int64_t duration_ = 0;  ///< of a picture, about
};

VideoWriter::VideoWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
VideoWriter::VideoWriter(VideoWriter&&) noexcept = default;
VideoWriter& VideoWriter::operator=(VideoWriter&&) noexcept = default;
VideoWriter::~VideoWriter() = default;

Result<VideoWriter> VideoWriter::create(const std::string& address, const WriterOptions& options) {
  auto impl = std::make_unique<Impl>(address);
  FOVEA_TRY(impl->open(options));
  return VideoWriter(std::move(impl));
}

Result<YuvCanvas> VideoWriter::stage(const Image& picture) { return impl_->stage(picture); }
Result<YuvCanvas> VideoWriter::stage(const YuvFrame& picture) { return impl_->stage(picture); }
Result<void> VideoWriter::write(double seconds) { return impl_->write(seconds); }
Result<void> VideoWriter::finish(bool all_sound) { return impl_->finish(all_sound); }
const std::string& VideoWriter::codec() const { return impl_->codec(); }
const std::optional<std::string>& VideoWriter::no_sound() const { return impl_->no_sound(); }

}  // namespace fovea::video
