// SPDX-License-Identifier: Apache-2.0
#include "video/clips.h"

extern "C" {
#include <libavutil/display.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
}

#include <cmath>
#include <memory>
#include <numbers>
#include <optional>
#include <stdexcept>

#include "video/ffmpeg.h"

namespace fovea::test {
namespace {

using video::Codec;
using video::DecodedFrame;
using video::Packet;

int check(int code, const char* what) {
  if (code < 0) throw std::runtime_error(std::string(what) + ": " + video::text_of(code));
  return code;
}

/// One stream: its encoder, and the packets as they come.
class Track {
 public:
  Track(AVFormatContext* file, const char* encoder) : file_(file), packet_(av_packet_alloc()) {
    const AVCodec* codec = avcodec_find_encoder_by_name(encoder);
    if (codec == nullptr) throw std::runtime_error(std::string("no encoder ") + encoder);
    codec_.reset(avcodec_alloc_context3(codec));
    stream_ = avformat_new_stream(file, nullptr);
  }
  AVCodecContext* operator->() { return codec_.get(); }
  AVStream* stream() { return stream_; }

  void open() {
    if ((file_->oformat->flags & AVFMT_GLOBALHEADER) != 0) codec_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    check(avcodec_open2(codec_.get(), nullptr, nullptr), "open");
    check(avcodec_parameters_from_context(stream_->codecpar, codec_.get()), "parameters");
    stream_->time_base = codec_->time_base;
  }

  /// Null: the end.
  void put(const AVFrame* frame) {
    check(avcodec_send_frame(codec_.get(), frame), "encode");
    while (avcodec_receive_packet(codec_.get(), packet_.get()) == 0) {
      packet_->stream_index = stream_->index;
      av_packet_rescale_ts(packet_.get(), codec_->time_base, stream_->time_base);
      check(av_interleaved_write_frame(file_, packet_.get()), "write");
    }
  }

 private:
  AVFormatContext* file_;
  Packet packet_;
  Codec codec_;
  AVStream* stream_;
};

void set_up(Track& pictures, const ClipOptions& options) {
  pictures->width = options.width;
  pictures->height = options.height;
  pictures->pix_fmt = av_get_pix_fmt(options.pixel_format.c_str());
  pictures->time_base = {1, 10};
  pictures->sample_aspect_ratio = pictures.stream()->sample_aspect_ratio = {options.pixel_width, 1};
  pictures->color_range = options.full_range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
  pictures->colorspace = static_cast<AVColorSpace>(options.colour_space);
  pictures->color_primaries = static_cast<AVColorPrimaries>(options.colour_space);  // the same numbers for those in use
  pictures->color_trc = AVCOL_TRC_BT709;
  if (options.clockwise != 0) {
    auto* matrix = reinterpret_cast<std::int32_t*>(
        av_stream_new_side_data(pictures.stream(), AV_PKT_DATA_DISPLAYMATRIX, 9 * sizeof(std::int32_t)));
    av_display_rotation_set(matrix, options.clockwise);
  }
  pictures.open();
}

void set_up_sound(Track& sound) {
  sound->sample_fmt = AV_SAMPLE_FMT_FLTP;
  sound->sample_rate = 44100;
  sound->ch_layout = AV_CHANNEL_LAYOUT_MONO;
  sound->bit_rate = 64000;
  sound->time_base = {1, 44100};
  sound.open();
}

void put_pictures(Track& pictures, const ClipOptions& options) {
  std::vector<std::uint8_t> rgb(static_cast<std::size_t>(options.width) * static_cast<std::size_t>(options.height) * 3);
  for (std::size_t i = 0; i < rgb.size(); ++i) {
    const bool left = static_cast<int>(i / 3) % options.width < options.width / 2;
    rgb[i] = left ? options.colour[i % 3] : 0;
  }
  const video::Scaler scaler(sws_getContext(options.width, options.height, AV_PIX_FMT_RGB24, options.width, options.height,
                                            pictures->pix_fmt, SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP, nullptr,
                                            nullptr, nullptr));
  const int* table = sws_getCoefficients(options.colour_space);
  sws_setColorspaceDetails(scaler.get(), table, 1, table, options.full_range ? 1 : 0, 0, 1 << 16, 1 << 16);
  for (int i = 0; i < options.frames; ++i) {
    const DecodedFrame frame(av_frame_alloc());
    frame->width = options.width;
    frame->height = options.height;
    frame->format = pictures->pix_fmt;
    frame->pts = i;
    check(av_frame_get_buffer(frame.get(), 0), "buffer");
    const std::uint8_t* const rows[] = {rgb.data()};
    const int strides[] = {3 * options.width};
    sws_scale(scaler.get(), rows, strides, 0, options.height, frame->data, frame->linesize);
    pictures.put(frame.get());
  }
  pictures.put(nullptr);
}

void put_sound(Track& sound, const ClipOptions& options) {
  const auto begin = std::llround(options.sound_begins * 44100);
  const auto end = begin + std::llround(options.sound_seconds * 44100);
  for (std::int64_t at = begin; at + sound->frame_size <= end; at += sound->frame_size) {
    const DecodedFrame frame(av_frame_alloc());
    frame->nb_samples = sound->frame_size;
    frame->format = sound->sample_fmt;
    frame->ch_layout = sound->ch_layout;
    frame->sample_rate = sound->sample_rate;
    frame->pts = at;
    check(av_frame_get_buffer(frame.get(), 0), "buffer");
    auto* samples = reinterpret_cast<float*>(frame->data[0]);
    for (int i = 0; i < frame->nb_samples; ++i) {
      samples[i] = static_cast<float>(0.3 * std::sin(2 * std::numbers::pi * 440 * static_cast<double>(at + i) / 44100));
    }
    sound.put(frame.get());
  }
  sound.put(nullptr);
}

}  // namespace

void write_clip(const std::filesystem::path& path, const ClipOptions& options) {
  AVFormatContext* file = nullptr;
  check(avformat_alloc_output_context2(&file, nullptr, nullptr, path.c_str()), "container");
  const std::unique_ptr<AVFormatContext, decltype(&avformat_free_context)> owner(file, avformat_free_context);
  Track pictures(file, "ffv1");
  set_up(pictures, options);
  std::optional<Track> sound;
  if (options.sound_seconds > 0) set_up_sound(sound.emplace(file, "aac"));
  check(avio_open(&file->pb, path.c_str(), AVIO_FLAG_WRITE), "file");
  check(avformat_write_header(file, nullptr), "header");
  put_pictures(pictures, options);
  if (sound) put_sound(*sound, options);
  check(av_write_trailer(file), "trailer");
  avio_closep(&file->pb);
}

std::vector<SoundPacket> sound_of(const std::filesystem::path& path) {
  AVFormatContext* context = nullptr;
  check(avformat_open_input(&context, path.c_str(), nullptr, nullptr), "open");
  const video::Input input(context);
  check(avformat_find_stream_info(context, nullptr), "streams");
  const int pictures = check(av_find_best_stream(context, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0), "pictures");
  const int sound = check(av_find_best_stream(context, AVMEDIA_TYPE_AUDIO, -1, -1, nullptr, 0), "sound");
  const auto seconds = [&](int stream, std::int64_t time) {
    return static_cast<double>(time) * av_q2d(context->streams[stream]->time_base);
  };
  const double start = seconds(pictures, context->streams[pictures]->start_time);
  const Packet packet(av_packet_alloc());
  std::vector<SoundPacket> packets;
  while (av_read_frame(context, packet.get()) == 0) {
    if (packet->stream_index == sound) {
      packets.push_back({seconds(sound, packet->pts) - start, {packet->data, packet->data + packet->size}});
    }
    av_packet_unref(packet.get());
  }
  return packets;
}

}  // namespace fovea::test
