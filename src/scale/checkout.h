// Fovea: the loop of a checkout scale, over parts that are given to it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fovea/scale.h"
#include "scale/board.h"
#include "scale/corrections.h"
#include "scale/steady_answer.h"
#include "scale/view.h"
#include "scale/weigher.h"
#include "video/live.h"

namespace fovea::checkout {

/// What names the pictures.
class Judge {
 public:
  Judge() = default;
  Judge(const Judge&) = delete;
  Judge& operator=(const Judge&) = delete;
  virtual ~Judge() = default;
  virtual Result<Answer> classify(const Image& picture) = 0;
  [[nodiscard]] virtual const std::vector<std::string>& classes() const = 0;
  /// The model from its file anew. On an Error the old one goes on.
  virtual Result<void> reload() = 0;
};

struct CheckoutParts {
  video::LatestPicture& camera;
  Judge& judge;
  Weigher* weigher = nullptr;
  Corrections* corrections = nullptr;
  Board* board = nullptr;
  ScaleObserver* observer = nullptr;
};

class Checkout {
 public:
  /// `learns_empty`: the camera's first second at rest shows the empty scale, unless `empty` says how that looks.
  Checkout(const ScaleOptions& options, const CheckoutParts& parts, std::optional<View> empty, bool learns_empty);

  /// Until options.stop is set, the observer wants no more, or a recording ends.
  ScaleTotals run();

 private:
  using Clock = std::chrono::steady_clock;
  /// What can still be named by a customer.
  struct Item {
    std::int64_t id = 0;
    std::shared_ptr<const Image> picture;
    ScaleReading reading;
  };

  void start_machine();
  [[nodiscard]] Moment moment(Clock::time_point time) const;
  void look(Image picture, Clock::time_point time);
  [[nodiscard]] bool learn_first(const View& view, double motion, Moment time);
  void judge(Moment time);
  void remember_item();
  void listen();
  void lose_camera(const Error& fault);
  void serve();
  Result<void> choose(const Request& request);
  void keep(const Item& item, ScaleChoice& choice);
  Result<void> empty_now();
  void tell();
  void show();
  void reload_if_asked();
  void note(const std::string& text);
  void warn(const std::string& text);
  [[nodiscard]] bool stopping() const { return ended_ || (options_.stop != nullptr && options_.stop->load()); }

  const ScaleOptions& options_;
  CheckoutParts parts_;
  ScaleTotals totals_;
  Clock::time_point start_ = Clock::now();
  bool ended_ = false;

  std::unique_ptr<SteadyAnswer> machine_;
  std::int64_t earlier_ids_ = 0;  ///< of machines before a model was read anew
  ScaleReading reading_;

  EmptyView empty_;
  bool learns_empty_ = false;
  std::optional<Moment> learning_since_;
  std::shared_ptr<const Image> picture_;
  std::optional<View> view_;       ///< of picture_
  Moment seen_{};                  ///< when it came
  std::optional<View> item_view_;  ///< of the item that was answered last
  std::deque<Item> items_;

  std::optional<Weight> weight_;  ///< the scale's last word
  bool camera_lost_ = false;
  bool keep_failed_ = false;  ///< said already
};

/// The stream that `camera` (as in ScaleOptions) names. kUsage or kNotFound for what makes no sense.
Result<std::unique_ptr<video::Stream>> open_camera(const ScaleOptions& options);
/// Whether `camera` names pictures that were taken before.
[[nodiscard]] bool is_recording(const std::string& camera);

}  // namespace fovea::checkout
