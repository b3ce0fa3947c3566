// SPDX-License-Identifier: Apache-2.0
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "video/live.h"

namespace fovea::video {
namespace {

/// Between two attempts at a camera that is lost.
constexpr std::chrono::milliseconds kBetweenAttempts{1000};

}  // namespace

struct LatestPicture::Desk {
  std::unique_ptr<Stream> stream;  // the thread's alone
  std::mutex mutex;
  std::condition_variable changed;
  News news;
  bool closed = false;
  bool finished = false;
};

void LatestPicture::read(const std::shared_ptr<Desk>& desk) {
  while (true) {
    Result<std::optional<Image>> picture = desk->stream->next();
    std::unique_lock lock(desk->mutex);
    if (desk->closed) return;
    if (!picture) {
      desk->news.fault = picture.error();
    } else if (*picture) {
      desk->news.picture = std::move(*picture);
      desk->news.time = std::chrono::steady_clock::now();
    } else {
      desk->news.ended = true;
    }
    desk->changed.notify_all();
    if (desk->news.ended) return;
    if (!picture && desk->changed.wait_for(lock, kBetweenAttempts, [&] { return desk->closed; })) return;
  }
}

LatestPicture::LatestPicture(std::unique_ptr<Stream> stream) : desk_(std::make_shared<Desk>()) {
  desk_->stream = std::move(stream);
  std::thread([desk = desk_] {
    read(desk);
    const std::lock_guard lock(desk->mutex);
    desk->finished = true;
    desk->changed.notify_all();
  }).detach();
}

LatestPicture::~LatestPicture() {
  std::unique_lock lock(desk_->mutex);
  desk_->closed = true;
  desk_->changed.notify_all();
  // Mostly it comes back with the next picture, and a camera's command ends with the stream.
  desk_->changed.wait_for(lock, kBetweenAttempts, [&] { return desk_->finished; });
}

LatestPicture::News LatestPicture::take(std::chrono::milliseconds wait) {
  std::unique_lock lock(desk_->mutex);
  News& news = desk_->news;
  desk_->changed.wait_for(lock, wait, [&] { return news.picture || news.fault || news.ended; });
  News given{std::exchange(news.picture, std::nullopt), news.time, std::exchange(news.fault, std::nullopt), news.ended};
  return given;
}

}  // namespace fovea::video
