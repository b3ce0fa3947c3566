// SPDX-License-Identifier: Apache-2.0
#include "scale/checkout.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"
#include "data/text.h"
#include "image/encode.h"

namespace fovea::checkout {
namespace {

using std::chrono::milliseconds;

// Requests of the page and the weight wait for so long at most.
constexpr milliseconds kNap{40};
// To learn how the empty scale looks.
constexpr milliseconds kLearnFor{1000};
constexpr std::size_t kItemsRemembered = 4;
constexpr int kPhotoQuality = 95;

std::optional<std::size_t> empty_class_of(const std::vector<std::string>& classes) {
  constexpr std::string_view kNames[] = {"none", "background", "empty", "nothing"};
  const auto found = std::ranges::find_if(
      classes, [&](const std::string& name) { return std::ranges::find(kNames, lower_case(name)) != std::end(kNames); });
  if (found == classes.end()) return std::nullopt;
  return static_cast<std::size_t>(found - classes.begin());
}

std::chrono::sys_time<milliseconds> now_utc() { return std::chrono::floor<milliseconds>(std::chrono::system_clock::now()); }

}  // namespace

Checkout::Checkout(const ScaleOptions& options, const CheckoutParts& parts, std::optional<View> empty, bool learns_empty)
    : options_(options), parts_(parts), learns_empty_(learns_empty && !empty) {
  if (empty) empty_.learn(*empty);
  start_machine();
}

void Checkout::note(const std::string& text) {
  if (parts_.observer != nullptr) parts_.observer->on_note(text);
}

void Checkout::warn(const std::string& text) {
  if (parts_.observer != nullptr) parts_.observer->on_warning(text);
}

Moment Checkout::moment(Clock::time_point time) const { return std::chrono::duration_cast<Moment>(time - start_); }

void Checkout::start_machine() {
  SteadyOptions steady;
  steady.sure_at = options_.sure_at;
  steady.stays_sure_at = std::min(steady.stays_sure_at, options_.sure_at);
  steady.least_g = options_.weight.least_g;
  const std::vector<std::string>& classes = parts_.judge.classes();
  const std::optional<std::size_t> empty_class = empty_class_of(classes);
  machine_ = std::make_unique<SteadyAnswer>(classes.size(), empty_class, steady);
  if (parts_.board == nullptr) return;
  nlohmann::json names = classes;
  if (empty_class) names.erase(*empty_class);
  parts_.board->show_classes(names.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void Checkout::reload_if_asked() {
  if (options_.reload == nullptr || !options_.reload->exchange(false)) return;
  if (const Result<void> reloaded = parts_.judge.reload(); !reloaded) {
    return warn("the old model goes on: " + reloaded.error().message);
  }
  ++totals_.reloads;
  note("the model was read anew");
  earlier_ids_ = totals_.items;
  items_.clear();
  start_machine();
}

/// False once it is known how the empty scale looks; until then nothing is claimed of what is seen.
bool Checkout::learn_first(const View& view, double motion, Moment time) {
  if (!learns_empty_) return false;
  if (motion >= SteadyOptions{}.rests_at || !learning_since_) learning_since_ = time;
  if (time - *learning_since_ < kLearnFor) return true;
  empty_.learn(view);
  learns_empty_ = false;
  note("learned how the empty scale looks; if something lay on it, clear it and press \"The scale is empty now\" on the page");
  return false;
}

void Checkout::look(Image picture, Clock::time_point time) {
  ++totals_.pictures;
  if (std::exchange(camera_lost_, false)) note("the camera is there again");
  picture_ = std::make_shared<const Image>(std::move(picture));
  if (parts_.board != nullptr) parts_.board->show(picture_);
  const View view = view_of(*picture_);
  const double motion = view_ ? share_changed(*view_, view, kMotionLevels) : 1;
  const Moment now = moment(time);
  const Moment passed = now - std::exchange(seen_, now);
  view_ = view;
  if (learn_first(view, motion, now)) return;
  const double off_item = item_view_ ? share_changed(*item_view_, view, kMotionLevels) : 1;
  if (machine_->see({now, motion, off_item, empty_.difference(view)})) judge(now);
  // What lies at rest may be looked at under changing light.
  if (machine_->answered() && motion < SteadyOptions{}.rests_at) item_view_ = view;
  if (machine_->certainly_empty()) {
    if (empty_.known()) {
      empty_.adapt(view, passed);
    } else if (weight_ && weight_->stable) {
      empty_.learn(view);
    }
  }
}

void Checkout::judge(Moment time) {
  const Result<Answer> answer = parts_.judge.classify(*picture_);
  if (!answer) return warn("the picture was not classified: " + answer.error().message);
  const std::vector<std::string>& classes = parts_.judge.classes();
  std::vector<double> probabilities(classes.size());
  for (const Prediction& p : answer->predictions) {
    const auto place = std::ranges::find(classes, p.label) - classes.begin();
    probabilities[static_cast<std::size_t>(place)] = p.probability;
  }
  machine_->judge(std::max(time, moment(Clock::now())), probabilities, answer->rejected);
}

void Checkout::listen() {
  if (parts_.weigher == nullptr) return;
  const Weigher::News news = parts_.weigher->take();
  for (const std::string& why : news.lost) {
    ++totals_.weight_faults;
    warn(why + "; it is tried again");
    weight_.reset();
  }
  if (news.found) note("the scale is there again");
  if (news.no_weight) weight_.reset();
  if (!news.reading) return;
  weight_ = news.reading->weight;
  machine_->weigh(moment(news.reading->time), *weight_);
}

void Checkout::lose_camera(const Error& fault) {
  if (camera_lost_) return;
  camera_lost_ = true;
  ++totals_.camera_faults;
  warn(fault.message + "; it is tried again");
}

void Checkout::tell() {
  const SteadyAnswer::State& state = machine_->state();
  reading_ = {};
  reading_.time = now_utc();
  reading_.state = state.state;
  for (std::size_t i = 0; i < state.top.size(); ++i) {
    reading_.answers.push_back({parts_.judge.classes()[state.top[i]], state.probabilities[i]});
  }
  reading_.weight = state.weight;
  reading_.id = state.id == 0 ? 0 : earlier_ids_ + state.id;
  reading_.after = state.after;
  if (reading_.id != 0) remember_item();
  if (parts_.observer != nullptr && !parts_.observer->on_reading(reading_)) ended_ = true;
}

void Checkout::remember_item() {
  totals_.items = std::max(totals_.items, reading_.id);
  if (items_.empty() || items_.back().id != reading_.id) items_.push_back({reading_.id, picture_, {}});
  items_.back().reading = reading_;
  if (items_.size() > kItemsRemembered) items_.pop_front();
}

void Checkout::show() {
  if (parts_.board == nullptr) return;
  nlohmann::json state = nlohmann::json::parse(json_line(reading_));
  state.erase("time");
  if (weight_) state["scale"] = {{"weight_g", weight_->grams}, {"stable", weight_->stable}};
  if (parts_.corrections != nullptr) state["corrections"] = totals_.photos_kept;
  parts_.board->show(state.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void Checkout::serve() {
  if (parts_.board == nullptr) return;
  for (Board::Asked& asked : parts_.board->take_requests()) {
    asked.answer.set_value(asked.request.kind == Request::Kind::kChoose ? choose(asked.request) : empty_now());
  }
}

Result<void> Checkout::empty_now() {
  if (!view_ || camera_lost_) return fail(Error::Kind::kIo, "there is no picture now");
  empty_.learn(*view_);
  learns_empty_ = false;
  note("learned how the empty scale looks");
  return {};
}

Result<void> Checkout::choose(const Request& request) {
  const auto item = std::ranges::find(items_, request.id, &Item::id);
  if (item == items_.end()) return fail(Error::Kind::kNotFound, "item {} is no longer there", request.id);
  ScaleChoice choice;
  choice.label = request.label;
  const std::vector<std::string>& classes = parts_.judge.classes();
  if (std::ranges::find(classes, request.label) == classes.end()) {
    FOVEA_ASSIGN(choice.label, folder_of(request.label));
  }
  choice.time = now_utc();
  choice.id = request.id;
  choice.answers = item->reading.answers;
  choice.weight = item->reading.weight;
  choice.corrected = choice.answers.empty() || choice.answers.front().label != choice.label;
  ++totals_.choices;
  keep(*item, choice);
  if (parts_.observer != nullptr && !parts_.observer->on_choice(choice)) ended_ = true;
  return {};
}

/// A customer is served whatever the disk says.
void Checkout::keep(const Item& item, ScaleChoice& choice) {
  if (parts_.corrections == nullptr) return;
  const bool certain = item.reading.state == ScaleState::kSure && !choice.corrected;
  Result<void> kept;
  if (!certain || parts_.corrections->wants_confirmed(choice.label, choice.time)) {
    const auto photo = parts_.corrections->keep(choice, encode_jpeg(*item.picture, kPhotoQuality));
    if (photo) {
      choice.photo = *photo;
      ++totals_.photos_kept;
    } else {
      ++totals_.photos_not_kept;
      kept = photo.error();
    }
  }
  if (const Result<void> noted = parts_.corrections->note(choice); !noted && kept) kept = noted;
  if (!kept && !keep_failed_) warn("the customer's choice was not kept: " + kept.error().message);
  if (kept && keep_failed_) note("customers' choices can be kept again");
  keep_failed_ = !kept.ok();
}

ScaleTotals Checkout::run() {
  show();
  while (!stopping()) {
    reload_if_asked();
    video::LatestPicture::News news = parts_.camera.take(kNap);
    listen();
    if (news.fault) lose_camera(*news.fault);
    if (news.picture) look(std::move(*news.picture), news.time);
    machine_->pass(moment(Clock::now()));
    if (machine_->changed()) tell();
    show();
    serve();
    if (news.ended && !news.picture) break;
  }
  return totals_;
}

}  // namespace fovea::checkout
