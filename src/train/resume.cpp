// Fovea: what a training run keeps for the case that it is interrupted, and how it takes it up again.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "core/error.h"
#include "train/epoch_json.h"
#include "train/run_identity.h"
#include "train/training_run.h"

namespace fovea::training {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json json_of(const EpochResult& done) {
  return {{"loss_sum", done.loss_sum}, {"lr", done.lr},        {"batches", done.batches},
          {"photos", done.photos},     {"lost", done.lost},    {"skipped_before", done.skipped_before},
          {"seconds", done.seconds},   {"waited", done.waited}};
}

Json json_of(const LossScale& loss) { return {{"scale", loss.scale}, {"good", loss.good}, {"skipped", loss.skipped}}; }

std::optional<LossScale> loss_scale_from(const Json& state) {
  const auto found = state.find("loss_scale");
  if (found == state.end()) return std::nullopt;
  return LossScale{found->at("scale").get<float>(), found->at("good").get<std::int32_t>(),
                   found->at("skipped").get<std::int64_t>()};
}

EpochResult epoch_result_from(const Json& json) {
  EpochResult done;
  done.loss_sum = json.at("loss_sum").get<double>();
  done.lr = json.at("lr").get<double>();
  done.batches = json.at("batches").get<std::int64_t>();
  done.photos = json.at("photos").get<std::int64_t>();
  done.lost = json.at("lost").get<std::int64_t>();
  done.skipped_before = json.at("skipped_before").get<std::int64_t>();
  done.seconds = json.at("seconds").get<double>();
  done.waited = json.at("waited").get<double>();
  return done;
}

Json json_of(std::span<const SkippedPhoto> skipped) {
  Json list = Json::array();
  for (const SkippedPhoto& photo : skipped) list.push_back({photo.path.string(), photo.reason});
  return list;
}

std::vector<SkippedPhoto> skipped_from(const Json& json) {
  std::vector<SkippedPhoto> photos;
  for (const Json& entry : json) photos.push_back({entry.at(0).get<std::string>(), entry.at(1).get<std::string>()});
  return photos;
}

/// Runs `read` on the state that was saved; what is not as keep() wrote it is an error of the file.
template <class Read>
Result<void> read_state(const Checkpoint::Saved& saved, const Read& read) {
  try {
    return read(Json::parse(saved.state));
  } catch (const nlohmann::json::exception&) {
    return fail(Error::Kind::kFormat, "{}: its state is not understood; train without --resume to start anew",
                saved.tensors.source());
  }
}

/// Rows as tensors whose names begin with `prefix`; the rows must outlive it.
struct PackedRows {
  static_assert(std::is_trivially_copyable_v<Fingerprint>);
  PackedRows(const std::string& prefix, const LabelledTable& rows)
      : widths({{"table", rows.table.width}, {"features", rows.features.width}}) {
    for (const auto& fingerprint : rows.fingerprints) fingerprints.push_back(fingerprint.value_or(Fingerprint()));
    tensors = {stored(prefix + "table", rows.table.values), stored(prefix + "features", rows.features.values),
               stored(prefix + "labels", rows.labels), stored(prefix + "index", rows.index),
               stored(prefix + "fingerprints", std::as_bytes(std::span(fingerprints)))};
  }
  std::vector<Fingerprint> fingerprints;
  std::vector<StoredTensor> tensors;
  Json widths;
};

Result<LabelledTable> unpack_rows(const WeightFile& file, const std::string& prefix, const Json& widths) {
  LabelledTable rows;
  rows.table.width = widths.at("table").get<std::int64_t>();
  rows.features.width = widths.at("features").get<std::int64_t>();
  FOVEA_ASSIGN(rows.table.values, restored<float>(file, prefix + "table"));
  FOVEA_ASSIGN(rows.features.values, restored<float>(file, prefix + "features"));
  FOVEA_ASSIGN(rows.labels, restored<std::int32_t>(file, prefix + "labels"));
  FOVEA_ASSIGN(rows.index, restored<std::int32_t>(file, prefix + "index"));
  FOVEA_ASSIGN(const auto fingerprints, restored<Fingerprint>(file, prefix + "fingerprints"));
  rows.fingerprints.assign(fingerprints.begin(), fingerprints.end());
  return rows;
}

}  // namespace

Result<void> TrainingRun::open_checkpoint() {
  FOVEA_ASSIGN(checkpoint_, Checkpoint::open(paths_.run_folder / "checkpoint",
                                             run_identity(options_, data_, device_, decoder_ ? decoder_->name() : "cpu"),
                                             {.interval_s = options_.checkpoint_interval_s, .resume = options_.resume}));
  if (options_.resume) {
    reporter_.note(checkpoint_.resumed() ? "going on with the interrupted run"
                                         : "nothing was interrupted here: training from the beginning");
  }
  replaying_ = model_saved_ = checkpoint_.resumed();
  return {};
}

void TrainingRun::keep(const std::string& name, std::span<const StoredTensor> tensors, const std::string& state) {
  const auto kept = checkpoint_.keep(name, tensors, state);
  if (!kept && !std::exchange(checkpoint_failed_, true)) {
    reporter_.warning(fmt::format("{}; training goes on, but what is done from here on would be lost if it were interrupted",
                                  kept.error().message));
  }
}

void TrainingRun::keep_rows(const std::string& name, const LabelledTable& rows, std::size_t photos) {
  const PackedRows packed("", rows);
  keep(name, packed.tensors,
       dump({{"photos", photos},
             {"widths", packed.widths},
             {"skipped", json_of(reporter_.report().skipped)},
             {"elapsed", reporter_.seconds()}}));
}

Result<LabelledTable> TrainingRun::resumable_rows(const std::string& name, Inference& inference,
                                                  std::span<const std::int32_t> positions) {
  constexpr std::size_t kBlock = 512;  // photos: a few seconds' work
  LabelledTable all;
  std::size_t done = 0;
  int part = 0;
  for (;; ++part) {
    FOVEA_ASSIGN(const auto saved, checkpoint_.recall(fmt::format("{}-{}", name, part)));
    if (!saved) break;
    FOVEA_TRY(read_state(*saved, [&](const Json& state) -> Result<void> {
      FOVEA_ASSIGN(LabelledTable rows, unpack_rows(saved->tensors, "", state.at("widths")));
      all.append(std::move(rows));
      const auto photos = state.at("photos").get<std::size_t>();
      done = std::min(positions.size(), done + photos);
      reporter_.advance(static_cast<std::int64_t>(photos));
      reporter_.skipped(skipped_from(state.at("skipped")));
      reporter_.add_earlier(state.at("elapsed").get<double>());
      return {};
    }));
  }
  LabelledTable fresh;
  std::size_t first = done;
  const auto keep_fresh = [&] {
    if (done == first) return;
    keep_rows(fmt::format("{}-{}", name, part++), fresh, done - first);
    all.append(std::exchange(fresh, {}));
    first = done;
  };
  while (done < positions.size()) {
    const auto block = positions.subspan(done, std::min(kBlock, positions.size() - done));
    auto rows = train_rows_->run_some(inference, block, reporter_);
    if (!rows) {
      if (rows.error().kind == Error::Kind::kCancelled) keep_fresh();
      return rows.error();
    }
    fresh.append(std::move(*rows));
    done += block.size();
    if (checkpoint_.due()) keep_fresh();
  }
  all.append(std::move(fresh));
  return all;
}

void TrainingRun::keep_way(const WayChoice& choice) {
  Json state{{"reason", choice.reason}};
  if (choice.way) state["way"] = {{"rate", choice.way->rate}, {"live", choice.way->norm == NormMode::kLive}};
  keep("way", {}, dump(state));
}

Result<std::optional<WayChoice>> TrainingRun::recall_way() const {
  FOVEA_ASSIGN(const auto saved, checkpoint_.recall("way"));
  if (!saved) return std::optional<WayChoice>();
  WayChoice choice;
  FOVEA_TRY(read_state(*saved, [&](const Json& state) -> Result<void> {
    choice.reason = state.at("reason").get<std::string>();
    if (!state.contains("way")) return {};
    const Json& way = state.at("way");
    choice.way = {way.at("rate").get<double>(), way.at("live").get<bool>() ? NormMode::kLive : NormMode::kFrozen};
    return {};
  }));
  return std::optional(std::move(choice));
}

void TrainingRun::keep_tuning(FineTuner& tuner, const Tuning& tuning) {
  const FineTuner::Buffers buffers = tuner.buffers();
  std::vector<StoredTensor> tensors{stored("parameters", buffers.parameters), stored("first", buffers.first),
                                    stored("second", buffers.second), stored("average", buffers.average),
                                    stored("best.weights", std::as_const(model_.parameters).all())};
  const FineTuner::Counters counters = tuner.counters();
  Json epochs = Json::array();
  for (const EpochReport& epoch : reporter_.report().epochs) {
    if (epoch.stage != tuning.stage) continue;
    epochs.push_back(metrics_json(epoch));
    epochs.back().update(timing_json(epoch));
  }
  Json state{{"epochs", tuning.epochs},
             {"epoch", tuning.epoch},
             {"done", json_of(tuning.done)},
             {"steps", counters.steps},
             {"batches", counters.batches},
             {"reports", std::move(epochs)},
             {"skipped", json_of(reporter_.report().skipped)},
             {"elapsed", reporter_.seconds()}};
  if (counters.loss_scale) state["loss_scale"] = json_of(*counters.loss_scale);
  std::optional<PackedRows> best;
  if (best_) {
    best.emplace("best.", best_->logits);
    tensors.insert(tensors.end(), best->tensors.begin(), best->tensors.end());
    state["best"] = {{"stage", best_stage_},
                     {"accuracy", best_->accuracy},
                     {"loss", best_->loss},
                     {"widths", best->widths},
                     {"temperature", model_.calibration.temperature},
                     {"thresholds", model_.thresholds}};
  }
  keep(tuning.stage, tensors, dump(state));
}

Result<bool> TrainingRun::recall_tuning(FineTuner& tuner, Tuning& tuning) {
  FOVEA_ASSIGN(const auto saved, checkpoint_.recall(tuning.stage));
  replaying_ = false;
  if (!saved) return false;
  const FineTuner::Buffers buffers = tuner.buffers();
  FOVEA_TRY(restore(saved->tensors, "parameters", std::as_writable_bytes(buffers.parameters)));
  FOVEA_TRY(restore(saved->tensors, "first", std::as_writable_bytes(buffers.first)));
  FOVEA_TRY(restore(saved->tensors, "second", std::as_writable_bytes(buffers.second)));
  FOVEA_TRY(restore(saved->tensors, "average", std::as_writable_bytes(buffers.average)));
  FOVEA_TRY(restore(saved->tensors, "best.weights", std::as_writable_bytes(model_.parameters.all())));
  tuner.put_back();
  std::vector<EpochReport> epochs;
  FOVEA_TRY(read_state(*saved, [&](const Json& state) -> Result<void> {
    tuning.epochs = state.at("epochs").get<int>();
    tuning.epoch = state.at("epoch").get<int>();
    tuning.done = epoch_result_from(state.at("done"));
    tuner.set_counters({state.at("steps").get<std::int64_t>(), state.at("batches").get<std::uint32_t>(), loss_scale_from(state)});
    for (const Json& epoch : state.at("reports")) epochs.push_back(epoch_from(epoch));
    reporter_.skipped(skipped_from(state.at("skipped")));
    reporter_.add_earlier(state.at("elapsed").get<double>());
    if (!state.contains("best")) return {};
    const Json& figures = state.at("best");
    best_stage_ = figures.at("stage").get<std::string>();
    model_.calibration.temperature = figures.at("temperature").get<double>();
    model_.thresholds = figures.at("thresholds").get<std::vector<double>>();
    FOVEA_ASSIGN(LabelledTable logits, unpack_rows(saved->tensors, "best.", figures.at("widths")));
    best_ = Validation{figures.at("accuracy").get<double>(), figures.at("loss").get<double>(), std::move(logits)};
    return save_so_far();
  }));
  for (const EpochReport& epoch : epochs) reporter_.epoch(epoch);
  return true;
}

}  // namespace fovea::training
