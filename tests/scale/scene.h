// Fovea: a simulated camera over a simulated scale, on a simulated clock.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "scale/steady_answer.h"

namespace fovea::checkout {

/// What lies under the camera at a time.
struct Thing {
  int item = 0;                       ///< 0: nothing, else another number for another item
  std::vector<double> probabilities;  ///< as the model sees it
  bool rejected = false;
  bool hand = false;  ///< something moves in the view
  bool dark = false;  ///< no picture comes
};

struct Said {
  Moment time{};
  SteadyAnswer::State state;
};

struct Camera {
  Moment interval{33};   ///< between pictures
  Moment looking{2};     ///< processor time of a picture that is looked at,
  Moment computing{10};  ///< and more where it is classified; of the pictures that come meanwhile the newest waits
  bool knows_empty = true;
};

/// Plays `scene` through `machine` from `begin` to `end`, and gives every change of what it said. A camera tells of a movement
/// where one picture differs from the one that was looked at before.
class Theatre {
 public:
  using Scene = std::function<Thing(Moment)>;
  using Weigh = std::function<void(Moment, SteadyAnswer&)>;

  Theatre(SteadyAnswer& machine, const Camera& camera) : machine_(machine), camera_(camera) {}
  Weigh weigh;  ///< called for each millisecond, if set

  std::vector<Said> play(Moment begin, Moment end, const Scene& scene) {
    said_.clear();
    Moment free = begin;  // when the processor is
    for (Moment now = begin; now < end; ++now) {
      if (weigh) {
        weigh(now, machine_);
        note(now);
      }
      machine_.pass(now);
      note(now);
      if (now.count() % camera_.interval.count() == 0) {
        newest_ = scene(now);
        taken_ = now;
        if (newest_->dark) newest_.reset();
      }
      if (now >= free && newest_) free = now + look(taken_, *std::exchange(newest_, std::nullopt), now);
    }
    return said_;
  }

 private:
  /// The time that it took.
  Moment look(Moment taken, const Thing& thing, Moment now) {
    const bool moved = !before_ || thing.hand || before_->hand || before_->item != thing.item;
    Look look{taken, moved ? 0.2 : 0.001, item_ == thing.item && !thing.hand ? 0.001 : 0.4, std::nullopt};
    if (camera_.knows_empty) look.off_empty = thing.item == 0 && !thing.hand ? 0.001 : 0.3;
    before_ = thing;
    const bool wanted = machine_.see(look);
    note(now);
    if (!wanted) return camera_.looking;
    const Moment done = now + camera_.looking + camera_.computing;
    machine_.judge(done, thing.probabilities, thing.rejected);
    note(done);
    if (machine_.answered()) item_ = thing.item;
    return camera_.looking + camera_.computing;
  }
  void note(Moment now) {
    if (machine_.changed()) said_.push_back({now, machine_.state()});
  }

  std::optional<Thing> newest_;  // that nobody has looked at
  Moment taken_{};
  SteadyAnswer& machine_;
  Camera camera_;
  std::optional<Thing> before_;
  int item_ = 0;
  std::vector<Said> said_;
};

}  // namespace fovea::checkout
