// Fovea: what to say of a stream of pictures, so that it is quick and does not flicker.
// SPDX-License-Identifier: Apache-2.0
//
// Everything goes by time and not by the number of pictures, so a slow camera gets the same answers, later.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "fovea/scale.h"

namespace fovea::checkout {

/// Time since some start.
using Moment = std::chrono::milliseconds;

/// Measured on a picture before it is classified; shares of the view, 0 to 1.
struct Look {
  Moment time{};
  double motion = 0;                ///< changed since the picture before
  double off_item = 1;              ///< unlike the item that was answered last, as it lay there
  std::optional<double> off_empty;  ///< unlike the empty scale; none: it is not known how that looks
};

struct SteadyOptions {
  double moves_at = 0.01;   ///< share that changes from one picture to the next: from here on something moves,
  double rests_at = 0.004;  ///< and below this it rests
  double empty_below = 0.005;
  double occupied_from = 0.01;
  double other_item_from = 0.04;  ///< unlike the item that was answered last: another one lies there
  double sure_at = 0.7;           ///< mean probability of an answer that is sure,
  double stays_sure_at = 0.5;     ///< and above which it stays so
  double unknown_at = 0.6;        ///< share of pictures that are of none of the classes,
  double stays_unknown_at = 0.4;
  double empty_class_at = 0.5;   ///< mean probability of a class that means an empty scale
  double lead = 0.05;            ///< by which another class must be more probable to be the first
  Moment memory{400};            ///< older pictures count less: 1/e of it after this long
  Moment agree{60};              ///< pictures agree for so long before an answer is sure,
  Moment decide{60};             ///< and at rest for so long before it is said that it is not
  Moment persist{300};           ///< another answer for the same item needs so long
  Moment move{100};              ///< a movement lasts so long before an answer is taken back
  Moment vanish{150};            ///< and an empty scale so long
  Moment gap{1000};              ///< without a picture: what was seen before does not count
  Moment blind{2000};            ///< without a picture: that is said
  Moment weight_lasts{1000};     ///< an older reading of the weight says nothing
  double least_g = 5;            ///< a lighter load is nothing
  double weight_differs_g = 3;   ///< other items weigh more or less by so much, and by
  double weight_differs = 0.02;  ///< such a share
};

/// A pure machine: the same calls give the same states, whatever the clock.
class SteadyAnswer {
 public:
  /// `empty_class`: a class that means "nothing on the scale", if the model has one.
  explicit SteadyAnswer(std::size_t classes, std::optional<std::size_t> empty_class = std::nullopt,
                        const SteadyOptions& options = {});

  struct State {
    ScaleState state = ScaleState::kNoPicture;
    std::vector<std::size_t> top;       ///< classes, the three most probable first; empty unless something is answered
    std::vector<double> probabilities;  ///< of `top`: means over the pictures
    std::int64_t id = 0;                ///< of the item; 0 unless something is answered
    std::optional<Weight> weight;
    Moment after{};  ///< since the first picture that shows this item as it rests
  };

  /// A picture. True: it is worth classifying; give the answer to `judge` before the next `see`. Where nothing is answered yet
  /// that is so in movement as well: the last picture of it may show already what then rests.
  [[nodiscard]] bool see(const Look& look);
  /// The classes of the picture just seen; `probabilities` as many as classes. `done`: when the answer was there.
  void judge(Moment done, std::span<const double> probabilities, bool rejected);
  void weigh(Moment time, const Weight& weight);
  /// Time has passed, perhaps without a picture.
  void pass(Moment time);

  [[nodiscard]] const State& state() const { return state_; }
  /// Whether state() has changed since the last call.
  [[nodiscard]] bool changed();
  /// Something lies there at rest, and moves no more.
  [[nodiscard]] bool answered() const { return state_.id != 0; }
  /// Nothing is there and nothing moves: a picture of now shows the empty scale.
  [[nodiscard]] bool certainly_empty() const;

 private:
  struct Wish {
    ScaleState state = ScaleState::kNoPicture;
    std::size_t leader = 0;
    bool operator==(const Wish&) const = default;
  };
  [[nodiscard]] std::optional<Weight> fresh_weight(Moment now) const;
  [[nodiscard]] std::optional<bool> occupied_by_weight(Moment now) const;
  [[nodiscard]] bool empty(Moment now) const;
  [[nodiscard]] std::optional<Wish> wish(Moment now) const;
  [[nodiscard]] Moment needed(const Wish& to) const;
  [[nodiscard]] bool weight_is_another() const;
  void forget();
  void follow(Moment now);
  void become(const Wish& to, Moment now);
  void tell_weight(Moment now);
  [[nodiscard]] bool replaced() const;

  SteadyOptions options_;
  std::optional<std::size_t> empty_class_;
  State state_;
  std::size_t leader_said_ = 0;
  bool changed_ = false;

  // What was seen.
  std::optional<Look> last_;
  bool moving_ = true;
  std::optional<bool> view_empty_;
  std::optional<Moment> rest_since_;
  std::optional<Moment> ahead_;  ///< of the picture before, if it moved and was classified
  std::optional<Weight> weight_;
  Moment weighed_{};
  std::int64_t items_ = 0;
  std::optional<double> item_grams_;  ///< of the last item, when it was stable
  bool nothing_since_item_ = true;

  // What the pictures of this rest say: means, each picture counting exp(-age / memory).
  std::vector<double> mean_;
  double rejected_ = 0;
  double mass_ = 0;
  int judged_ = 0;
  Moment judged_at_{};
  std::size_t leader_ = 0;

  // What is wished for, and since when.
  std::optional<Wish> pending_;
  Moment pending_since_{};
};

}  // namespace fovea::checkout
