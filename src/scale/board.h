// Fovea: what the loop shows to the page's visitors, and what they ask of it. The only thing that threads share.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fovea/result.h"
#include "image/image.h"

namespace fovea::checkout {

/// Something a visitor wants.
struct Request {
  enum class Kind : std::uint8_t {
    kChoose,    ///< item `id` is a `label`
    kEmptyNow,  ///< the picture of now shows the empty scale
  };
  Kind kind = Kind::kChoose;
  std::int64_t id = 0;
  std::string label;
};

class Board {
 public:
  using Milliseconds = std::chrono::milliseconds;

  // The loop's side.
  void show(std::string state_json);
  void show(std::shared_ptr<const Image> picture);
  void show_classes(std::string classes_json);
  struct Asked {
    Request request;
    std::promise<Result<void>> answer;
  };
  [[nodiscard]] std::vector<Asked> take_requests();
  /// Wakes everybody who waits; nothing more is shown.
  void close();

  // The visitors' side.
  template <class Content>
  struct Shown {
    std::uint64_t version = 0;  ///< 0: nothing was shown yet
    Content content{};
  };
  /// The state that came after `version`, or the one there is when `wait` has passed.
  [[nodiscard]] Shown<std::string> state(std::uint64_t after, Milliseconds wait);
  [[nodiscard]] Shown<std::shared_ptr<const std::vector<std::byte>>> jpeg(std::uint64_t after, Milliseconds wait);
  [[nodiscard]] std::string classes() const;
  [[nodiscard]] bool closed() const;
  /// The loop's answer. kLimit when too many ask at a time, kIo when the loop does not answer.
  Result<void> ask(Request request);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Shown<std::string> state_;
  Shown<std::shared_ptr<const Image>> picture_;
  Shown<std::shared_ptr<const std::vector<std::byte>>> encoded_;  ///< of the picture of that version
  std::string classes_ = "[]";
  std::deque<Asked> asked_;
  bool closed_ = false;
};

}  // namespace fovea::checkout
