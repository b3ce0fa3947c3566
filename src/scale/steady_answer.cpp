// SPDX-License-Identifier: Apache-2.0
#include "scale/steady_answer.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <utility>

namespace fovea::checkout {
namespace {

constexpr std::size_t kTop = 3;
// One picture alone may have caught a hand that stood still for a moment.
constexpr int kFewestPictures = 2;

bool is_answer(ScaleState state) {
  return state == ScaleState::kSure || state == ScaleState::kUnsure || state == ScaleState::kUnknown;
}

}  // namespace

SteadyAnswer::SteadyAnswer(std::size_t classes, std::optional<std::size_t> empty_class, const SteadyOptions& options)
    : options_(options), empty_class_(empty_class), mean_(classes) {
  assert(classes > 0);
}

bool SteadyAnswer::changed() { return std::exchange(changed_, false); }

bool SteadyAnswer::certainly_empty() const {
  return state_.state == ScaleState::kNothing && !moving_ && (!pending_ || pending_->state == ScaleState::kNothing);
}

void SteadyAnswer::forget() {
  std::ranges::fill(mean_, 0.0);
  rejected_ = mass_ = 0;
  judged_ = 0;
  leader_ = 0;
  rest_since_.reset();
}

/// At few pictures a second an item may be exchanged between two of them.
bool SteadyAnswer::replaced() const {
  return state_.id != 0 && last_->motion < options_.rests_at && last_->off_item >= options_.other_item_from;
}

bool SteadyAnswer::see(const Look& look) {
  const bool interrupted = !last_ || look.time - last_->time > options_.gap;
  last_ = look;
  // Between two thresholds it goes on as before.
  moving_ = interrupted || look.motion >= options_.moves_at || (moving_ && look.motion >= options_.rests_at) || replaced();
  if (!look.off_empty) {
    view_empty_.reset();
  } else if (*look.off_empty < options_.empty_below) {
    view_empty_ = true;
  } else if (*look.off_empty >= options_.occupied_from || !view_empty_) {
    view_empty_ = false;
  }
  // What an answered item looked like still counts when the movement turns out to be a flicker.
  if (interrupted || (moving_ && state_.id == 0)) forget();
  // A picture that differs from the one before, and in nothing from the one behind, shows what rests: it counts, too.
  if (!moving_ && !rest_since_) rest_since_ = ahead_.value_or(look.time);
  ahead_.reset();
  follow(look.time);
  if (occupied_by_weight(look.time) == std::optional(false) || (moving_ && state_.id != 0)) return false;
  return empty_class_ || !empty(look.time);
}

void SteadyAnswer::judge(Moment done, std::span<const double> probabilities, bool rejected) {
  assert(last_ && probabilities.size() == mean_.size());
  const double keep =
      mass_ > 0
          ? std::exp(-std::chrono::duration<double>(last_->time - judged_at_) / std::chrono::duration<double>(options_.memory))
          : 0.0;
  const double old = keep * mass_;
  mass_ = old + 1;
  for (std::size_t k = 0; k < mean_.size(); ++k) mean_[k] = (old * mean_[k] + probabilities[k]) / mass_;
  rejected_ = (old * rejected_ + (rejected ? 1 : 0)) / mass_;
  judged_at_ = last_->time;
  if (moving_) ahead_ = last_->time;
  const auto best = static_cast<std::size_t>(std::ranges::max_element(mean_) - mean_.begin());
  if (judged_ == 0 || mean_[best] > mean_[leader_] + options_.lead) leader_ = best;
  ++judged_;
  follow(std::max(done, last_->time));
}

void SteadyAnswer::weigh(Moment time, const Weight& weight) {
  weight_ = weight;
  weighed_ = time;
  follow(time);
}

void SteadyAnswer::pass(Moment time) { follow(time); }

std::optional<bool> SteadyAnswer::occupied_by_weight(Moment now) const {
  const std::optional<Weight> weight = fresh_weight(now);
  if (!weight) return std::nullopt;
  return weight->grams >= options_.least_g;
}

bool SteadyAnswer::empty(Moment now) const {
  if (const auto occupied = occupied_by_weight(now)) return !*occupied;
  if (empty_class_ && judged_ >= kFewestPictures && mean_[*empty_class_] >= options_.empty_class_at) return true;
  return view_empty_.value_or(false);
}

std::optional<SteadyAnswer::Wish> SteadyAnswer::wish(Moment now) const {
  if (!last_ || now - last_->time > options_.blind) return Wish{ScaleState::kNoPicture};
  if (now - last_->time > options_.gap) return std::nullopt;
  // A hand above an empty scale is nothing where there is a weight to tell it, and a movement where there is none.
  if (occupied_by_weight(now) == std::optional(false)) return Wish{ScaleState::kNothing};
  if (moving_) return Wish{ScaleState::kChanging};
  if (empty(now)) return Wish{ScaleState::kNothing};
  if (judged_ < kFewestPictures) return std::nullopt;
  const bool unknown = state_.state == ScaleState::kUnknown;
  if (rejected_ >= (unknown ? options_.stays_unknown_at : options_.unknown_at)) return Wish{ScaleState::kUnknown};
  // A class that means "empty" where the weight says that it is not.
  if (empty_class_ && leader_ == *empty_class_) return Wish{ScaleState::kUnknown};
  const bool sure = state_.state == ScaleState::kSure && leader_said_ == leader_;
  if (mean_[leader_] >= (sure ? options_.stays_sure_at : options_.sure_at)) return Wish{ScaleState::kSure, leader_};
  return Wish{ScaleState::kUnsure, leader_};
}

Moment SteadyAnswer::needed(const Wish& to) const {
  if (to.state == ScaleState::kNoPicture || state_.state == ScaleState::kNoPicture) return Moment(0);
  // Where another item lies there already, what was said is wrong now.
  if (to.state == ScaleState::kChanging) return replaced() ? Moment(0) : options_.move;
  if (to.state == ScaleState::kNothing) return options_.vanish;
  return options_.persist;
}

void SteadyAnswer::follow(Moment now) {
  const std::optional<Wish> wished = wish(now);
  tell_weight(now);
  if (!wished) return;
  const bool by_class = wished->state == ScaleState::kSure || wished->state == ScaleState::kUnsure;
  if (wished->state == state_.state && (!by_class || wished->leader == leader_said_)) {
    pending_.reset();
    return;
  }
  if (pending_ != wished) {
    pending_ = wished;
    pending_since_ = now;
  }
  if (is_answer(wished->state) && !is_answer(state_.state)) {
    // By the pictures' own times: that computing took long says nothing about the item.
    const Moment rested = last_->time - rest_since_.value_or(last_->time);
    // A view of the empty scale with a weight on it: the weight may be late.
    const Moment wait = view_empty_.value_or(false)          ? options_.weight_lasts
                        : wished->state == ScaleState::kSure ? options_.agree
                                                             : options_.decide;
    if (rested < wait) return;
  } else if (now - pending_since_ < needed(*wished)) {
    return;
  }
  become(*wished, now);
}

bool SteadyAnswer::weight_is_another() const {
  if (!item_grams_ || !weight_ || !weight_->stable) return false;
  const double allowed = std::max(options_.weight_differs_g, options_.weight_differs * std::abs(*item_grams_));
  return std::abs(weight_->grams - *item_grams_) > allowed;
}

void SteadyAnswer::become(const Wish& to, Moment now) {
  pending_.reset();
  changed_ = true;
  const bool answered_before = is_answer(state_.state);
  state_.state = to.state;
  state_.weight = fresh_weight(now);
  leader_said_ = to.leader;
  if (to.state == ScaleState::kNothing) nothing_since_item_ = true;
  if (!is_answer(to.state)) {
    if (answered_before) forget();
    state_.top.clear();
    state_.probabilities.clear();
    state_.id = 0;
    state_.after = Moment(0);
    return;
  }
  if (!answered_before) {
    const bool same = !nothing_since_item_ && last_->off_item < options_.other_item_from && !weight_is_another();
    if (!same) {
      ++items_;
      item_grams_.reset();
    }
    nothing_since_item_ = false;
    state_.after = now - rest_since_.value_or(now);
  }
  state_.id = items_;
  std::vector<std::size_t> order(mean_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (empty_class_) std::erase(order, *empty_class_);
  const std::size_t count = std::min(kTop, order.size());
  // The leader stays the first even where another has come closer than its lead.
  const auto rank = [&](std::size_t k) { return k == to.leader && to.state != ScaleState::kUnknown ? 2.0 : mean_[k]; };
  std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(count), std::greater(), rank);
  order.resize(count);
  state_.top = std::move(order);
  state_.probabilities.clear();
  for (const std::size_t k : state_.top) state_.probabilities.push_back(mean_[k]);
}

std::optional<Weight> SteadyAnswer::fresh_weight(Moment now) const {
  return weight_ && now - weighed_ <= options_.weight_lasts ? weight_ : std::nullopt;
}

/// A scale that comes to rest after the answer was given, or again with another weight.
void SteadyAnswer::tell_weight(Moment now) {
  const std::optional<Weight> weight = fresh_weight(now);
  if (state_.id == 0 || !weight || !weight->stable) return;
  item_grams_ = weight->grams;
  if (state_.weight && state_.weight->stable && std::abs(state_.weight->grams - weight->grams) < options_.weight_differs_g)
    return;
  state_.weight = weight;
  changed_ = true;
}

}  // namespace fovea::checkout
