// SPDX-License-Identifier: Apache-2.0
#include "scale/board.h"

#include <algorithm>
#include <iterator>

#include "core/error.h"
#include "image/encode.h"
#include "image/resize.h"

namespace fovea::checkout {
namespace {

constexpr std::size_t kMostWaiting = 16;
constexpr std::chrono::milliseconds kAnswerWithin{3000};
// Larger pictures only cost time on their way to the page.
constexpr int kShownWidth = 640;
constexpr int kShownQuality = 80;

std::vector<std::byte> encode_for_page(const Image& image) {
  if (image.width <= kShownWidth * 5 / 4) return encode_jpeg(image, kShownQuality);
  const int height = std::max(1, image.height * kShownWidth / image.width);
  return encode_jpeg(resize(image, kShownWidth, height, Filter::kBilinear), kShownQuality);
}

}  // namespace

void Board::show(std::string state_json) {
  const std::lock_guard lock(mutex_);
  if (state_.content == state_json) return;
  state_ = {state_.version + 1, std::move(state_json)};
  changed_.notify_all();
}

void Board::show(std::shared_ptr<const Image> picture) {
  const std::lock_guard lock(mutex_);
  picture_ = {picture_.version + 1, std::move(picture)};
  changed_.notify_all();
}

void Board::show_classes(std::string classes_json) {
  const std::lock_guard lock(mutex_);
  classes_ = std::move(classes_json);
}

std::vector<Board::Asked> Board::take_requests() {
  const std::lock_guard lock(mutex_);
  std::vector<Asked> taken(std::make_move_iterator(asked_.begin()), std::make_move_iterator(asked_.end()));
  asked_.clear();
  return taken;
}

void Board::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (Asked& asked : asked_) asked.answer.set_value(fail(Error::Kind::kCancelled, "the program ends"));
  asked_.clear();
  changed_.notify_all();
}

bool Board::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

std::string Board::classes() const {
  const std::lock_guard lock(mutex_);
  return classes_;
}

Board::Shown<std::string> Board::state(std::uint64_t after, Milliseconds wait) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, wait, [&] { return closed_ || state_.version > after; });
  return state_;
}

Board::Shown<std::shared_ptr<const std::vector<std::byte>>> Board::jpeg(std::uint64_t after, Milliseconds wait) {
  Shown<std::shared_ptr<const Image>> picture;
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, wait, [&] { return closed_ || picture_.version > after; });
    if (picture_.version == 0 || encoded_.version == picture_.version) return encoded_;
    picture = picture_;
  }
  // Outside the lock: the loop must not wait for a visitor's picture.
  auto bytes = std::make_shared<const std::vector<std::byte>>(encode_for_page(*picture.content));
  const std::lock_guard lock(mutex_);
  if (encoded_.version < picture.version) encoded_ = {picture.version, std::move(bytes)};
  return encoded_;
}

Result<void> Board::ask(Request request) {
  std::future<Result<void>> answer;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return fail(Error::Kind::kCancelled, "the program ends");
    if (asked_.size() >= kMostWaiting) return fail(Error::Kind::kLimit, "too many requests at a time");
    asked_.push_back({std::move(request), {}});
    answer = asked_.back().answer.get_future();
  }
  if (answer.wait_for(kAnswerWithin) != std::future_status::ready) return fail(Error::Kind::kIo, "the scale does not answer");
  return answer.get();
}

}  // namespace fovea::checkout
