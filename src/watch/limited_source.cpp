// SPDX-License-Identifier: Apache-2.0
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/error.h"
#include "watch/source.h"

namespace fovea::watching {
namespace {

/// Shared with the thread, which may outlive the source: one that hangs inside a driver can be left, but not ended.
struct Desk {
  std::unique_ptr<Source> source;  // the thread's alone
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<std::chrono::milliseconds> order;
  std::optional<Result<Picture>> answer;
  bool busy = false;
  bool closed = false;
};

void work(const std::shared_ptr<Desk>& desk) {
  std::unique_lock lock(desk->mutex);
  while (true) {
    desk->changed.wait(lock, [&] { return desk->order || desk->closed; });
    if (desk->closed) return;
    const std::chrono::milliseconds limit = *std::exchange(desk->order, std::nullopt);
    lock.unlock();
    Result<Picture> answer = desk->source->take(limit);
    lock.lock();
    desk->answer = std::move(answer);
    desk->busy = false;
    desk->changed.notify_all();
  }
}

class LimitedSource final : public Source {
 public:
  explicit LimitedSource(std::unique_ptr<Source> source) : desk_(std::make_shared<Desk>()) {
    desk_->source = std::move(source);
    thread_ = std::thread(work, desk_);
  }

  ~LimitedSource() override {
    bool stuck = false;
    {
      const std::lock_guard lock(desk_->mutex);
      desk_->closed = true;
      stuck = desk_->busy;
    }
    desk_->changed.notify_all();
    if (stuck) {
      thread_.detach();
    } else {
      thread_.join();
    }
  }

  Result<Picture> take(std::chrono::milliseconds limit) override {
    std::unique_lock lock(desk_->mutex);
    // A little longer than the source itself, whose own error says more.
    const auto patience = limit + limit / 10;
    if (desk_->busy) {
      if (!desk_->changed.wait_for(lock, patience, [&] { return !desk_->busy; })) {
        return fail(Error::Kind::kIo, "the camera hangs since an earlier picture");
      }
    }
    desk_->answer.reset();  // a picture that came too late is an old one
    desk_->order = limit;
    desk_->busy = true;
    desk_->changed.notify_all();
    if (!desk_->changed.wait_for(lock, patience, [&] { return !desk_->busy; })) {
      return fail(Error::Kind::kIo, "the camera gave no picture within {} ms", limit.count());
    }
    return *std::exchange(desk_->answer, std::nullopt);
  }

 private:
  std::shared_ptr<Desk> desk_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Source> limited_source(std::unique_ptr<Source> source) {
  return std::make_unique<LimitedSource>(std::move(source));
}

}  // namespace fovea::watching
