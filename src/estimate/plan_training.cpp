// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/error.h"
#include "core/memory.h"
#include "estimate/advice.h"
#include "estimate/load.h"
#include "estimate/probe.h"
#include "fovea/plan.h"
#include "model/published_accuracy.h"
#include "model/registry.h"
#include "runtime/device.h"
#include "train/fit_choice.h"
#include "train/run_setup.h"

namespace fovea {
namespace {

using namespace estimate;

constexpr std::size_t kSamples = 48;  // photos that are looked at

PlannedTime planned(const Cost& cost) { return {cost.seconds, cost.processor}; }

class Planner {
 public:
  Planner(const TrainingPlanOptions& options, const std::function<void(const NetworkPlan&)>& on_network)
      : options_(options), run_(options_.run), on_network_(on_network) {
    context_.threads = run_.threads > 0 ? run_.threads : available_processors();
    context_.stop = run_.stop;
  }

  Result<TrainingPlan> plan() {
    FOVEA_TRY(training::check_options(run_));
    FOVEA_TRY(choose_networks());
    FOVEA_TRY(open_devices());
    FOVEA_TRY(scan());
    for (const Architecture& network : networks_) {
      for (const Device& device : devices_) {
        FOVEA_ASSIGN(NetworkPlan plan, plan_network(network, device));
        if (on_network_) on_network_(plan);
        plan_.networks.push_back(std::move(plan));
      }
    }
    plan_.pick = advise(plan_.networks, available_memory(), run_.time_budget_s.value_or(kPatience));
    plan_.taken_by_others = load_.taken_by_others();
    plan_.seconds = watch_.elapsed().seconds;
    return std::move(plan_);
  }

 private:
  Result<void> choose_networks() {
    for (const std::string& name : options_.archs.empty() ? architecture_names() : options_.archs) {
      FOVEA_ASSIGN(Architecture network, find_architecture(name));
      if (run_.size) network.spec.height = network.spec.width = *run_.size;
      FOVEA_TRY(validate(network.spec));
      network.preprocess.height = network.spec.height;
      network.preprocess.width = network.spec.width;
      network.preprocess.fit = run_.fit == FitChoice::kAuto ? Fit::kCrop : training::fit_of(run_.fit);
      networks_.push_back(std::move(network));
    }
    return {};
  }

  Result<void> open_devices() {
    if (run_.device != "auto") {
      FOVEA_ASSIGN(Device device, open_device(run_.device));
      devices_.push_back(std::move(device));
      return {};
    }
    for (const char* name : {"cpu", "cuda"}) {
      auto device = open_device(name);
      if (device) {
        devices_.push_back(std::move(*device));
      } else {
        plan_.unusable.push_back({name, device.error().message});
      }
    }
    return {};
  }

  Result<void> scan() {
    const CostWatch watch;
    FOVEA_ASSIGN(data_, scan_dataset(run_.data, {.strict = run_.strict}));
    FOVEA_TRY(check_trainable(data_));
    scan_ = watch.elapsed();
    samples_ = spread_samples(data_.train, kSamples);
    const RunFacts facts = facts_at(networks_.front().spec.height);
    plan_.train_photos = facts.train;
    plan_.val_photos = facts.val;
    plan_.epochs = facts.scope == Scope::kHead ? 0 : facts.epochs;
    return {};
  }

  [[nodiscard]] RunFacts facts_at(int side) const {
    RunFacts facts = facts_of(run_, static_cast<std::int64_t>(data_.train.size()), static_cast<std::int64_t>(data_.val.size()),
                              data_.class_count(), side);
    facts.test = static_cast<std::int64_t>(data_.test.size());
    facts.none = static_cast<std::int64_t>(data_.none.train.size() + data_.none.val.size());
    return facts;
  }

  /// Measured once for each input.
  Result<PhotoCosts> photos_for(const Preprocess& preprocess) {
    const int side = preprocess.height;
    if (const auto known = photos_.find(side); known != photos_.end()) return known->second;
    FOVEA_ASSIGN(PhotoCosts costs, probe_photos(context_, samples_, preprocess, run_));
    // Whatever was slow to read is read now.
    if (!photos_.empty()) costs.disk = photos_.begin()->second.disk;
    if (photos_.empty()) plan_.photos_per_second = 1 / std::max(costs.decode.seconds, 1e-9);
    return photos_.emplace(side, costs).first->second;
  }

  const HeadCosts& head_for(std::int64_t photos, std::int64_t width) {
    auto known = heads_.find(width);
    if (known == heads_.end()) known = heads_.emplace(width, probe_head(context_, photos, width, data_.class_count())).first;
    return known->second;
  }

  Result<NetworkPlan> plan_network(Architecture network, const Device& device) {
    NetworkPlan plan;
    plan.arch = network.name;
    plan.device = device.name;
    plan.size = network.spec.height;
    plan.published_accuracy = published_accuracy(network.spec);
    TrainOptions run = run_;
    run.arch = network.name;
    plan.weights_here = training::find_weights(run).ok();
    network.spec.classes = data_.class_count();
    const RunFacts facts = facts_at(network.spec.height);
    FOVEA_ASSIGN(const PhotoCosts photos, photos_for(network.preprocess));
    const NetworkProbe probe{context_, *device.backend, samples_, run_, facts, options_.seconds_per_network};
    const auto costs = probe_network(probe, network);
    if (!costs && costs.error().kind == Error::Kind::kCancelled) return costs.error();
    if (!costs) {
      plan.not_measured = costs.error().message;
      return plan;
    }
    FOVEA_ASSIGN(const graph::Graph graph, build_network(network.spec));
    const HeadCosts& head = head_for(facts.train, graph.shape(*graph.output("features"))[1]);
    const RunCost cost = cost_of_run(facts, scan_, photos, *costs, head);
    plan.parameters = costs->parameters;
    plan.looks_per_second = 1 / costs->look.seconds;
    plan.steps_per_second = costs->learn.seconds > 0 ? 1 / costs->learn.seconds : 0;
    plan.memory = cost.bytes;
    plan.features = planned(cost.features);
    plan.first_model = planned(cost.first_model);
    plan.refit = planned(cost.refit);
    plan.head = planned(cost.head);
    plan.trial = planned(cost.trial);
    plan.epoch = planned(cost.epoch);
    plan.whole = planned(cost.whole);
    return plan;
  }

  TrainingPlanOptions options_;
  const TrainOptions& run_;
  const std::function<void(const NetworkPlan&)>& on_network_;
  Context context_;
  CostWatch watch_;
  LoadWatch load_;
  std::vector<Architecture> networks_;
  std::vector<Device> devices_;
  Dataset data_;
  std::vector<Sample> samples_;
  Cost scan_;
  std::map<int, PhotoCosts> photos_;         ///< by input side
  std::map<std::int64_t, HeadCosts> heads_;  ///< by width of the features
  TrainingPlan plan_;
};

}  // namespace

Result<TrainingPlan> plan_training(const TrainingPlanOptions& options,
                                   const std::function<void(const NetworkPlan&)>& on_network) {
  return Planner(options, on_network).plan();
}

}  // namespace fovea
