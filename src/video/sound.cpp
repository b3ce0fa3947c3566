// SPDX-License-Identifier: Apache-2.0
#include "video/sound.h"

#include "core/error.h"

namespace fovea::video {

Result<Sound> Sound::open(const std::string& path) {
  AVFormatContext* context = nullptr;
  if (const int code = avformat_open_input(&context, path.c_str(), nullptr, nullptr); code < 0) {
    return fail(Error::Kind::kIo, "{}: {}", path, text_of(code));
  }
  Sound sound;
  sound.input_.reset(context);
  if (const int code = avformat_find_stream_info(context, nullptr); code < 0) {
    return fail(Error::Kind::kFormat, "{}: {}", path, text_of(code));
  }
  const int pictures = av_find_best_stream(context, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  const int index = av_find_best_stream(context, AVMEDIA_TYPE_AUDIO, -1, pictures, nullptr, 0);
  if (index < 0) return fail(Error::Kind::kNotFound, "{}: holds no sound", path);
  for (unsigned i = 0; i < context->nb_streams; ++i) {
    if (static_cast<int>(i) != index) context->streams[i]->discard = AVDISCARD_ALL;
  }
  sound.stream_ = context->streams[index];
  if (pictures >= 0 && context->streams[pictures]->start_time != AV_NOPTS_VALUE) {
    sound.start_ = static_cast<double>(context->streams[pictures]->start_time) * av_q2d(context->streams[pictures]->time_base);
  }
  sound.packet_.reset(av_packet_alloc());
  if (!sound.packet_) return fail(Error::Kind::kLimit, "{}: out of memory", path);
  return sound;
}

bool Sound::read() {
  const double base = av_q2d(stream_->time_base);
  const auto start = static_cast<std::int64_t>(start_ / base);
  while (!ended_) {
    av_packet_unref(packet_.get());
    if (av_read_frame(input_.get(), packet_.get()) < 0) {
      ended_ = true;
      break;
    }
    if (packet_->stream_index != stream_->index || packet_->pts == AV_NOPTS_VALUE) continue;
    packet_->pts -= start;
    packet_->dts = packet_->dts == AV_NOPTS_VALUE ? packet_->pts : packet_->dts - start;
    if (packet_->pts >= 0 && packet_->dts >= 0) return true;
  }
  return false;
}

AVPacket* Sound::next_before(double seconds) {
  if (!held_) held_ = read();
  if (!held_ || static_cast<double>(packet_->pts) * av_q2d(stream_->time_base) >= seconds) return nullptr;
  held_ = false;
  return packet_.get();
}

}  // namespace fovea::video
