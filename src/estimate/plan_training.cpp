// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "core/available_memory.h"
#include "core/error.h"
#include "data/cache.h"
#include "estimate/advice.h"
#include "estimate/gpu_cost.h"
#include "estimate/load.h"
#include "estimate/probe.h"
#include "fovea/plan.h"
#include "hardware/system_view.h"
#include "model/published_accuracy.h"
#include "model/registry.h"
#include "runtime/device.h"
#include "train/fit_choice.h"
#include "train/precision.h"
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
    plan_.threads = context_.threads;
    FOVEA_TRY(choose_networks());
    FOVEA_TRY(options_.gpus.empty() ? open_devices() : find_gpus());
    FOVEA_TRY(check_precision());
    FOVEA_TRY(scan());
    for (const Architecture& network : networks_) {
      for (const Device& device : devices_) {
        const auto planned = plan_network(network, device);
        plan_.stopped = !planned && planned.error().kind == Error::Kind::kCancelled && !plan_.networks.empty();
        if (!planned && !plan_.stopped) return planned.error();
        if (plan_.stopped) break;
      }
      if (plan_.stopped) break;
      for (const GpuModel& gpu : gpus_) FOVEA_TRY(estimate_network(network, gpu));
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
      if (run_.size) network.preprocess.height = network.preprocess.width = *run_.size;
      network.preprocess = training::fit_candidates(run_, network.preprocess).front();
      FOVEA_TRY(validate(spec_at(network, network.preprocess)));
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
    FOVEA_ASSIGN(Device cpu, open_device("cpu"));
    devices_.push_back(std::move(cpu));
    const auto found = check_gpu(0, hardware::this_system());
    auto gpu = found ? open_device("cuda") : Result<Device>(found.error());
    if (gpu) {
      devices_.push_back(std::move(*gpu));
    } else {
      plan_.unusable.push_back({"cuda", gpu.error().message});
    }
    return {};
  }

  Result<void> find_gpus() {
    for (const std::string& name : options_.gpus) {
      FOVEA_ASSIGN(const GpuModel gpu, find_gpu_model(name));
      FOVEA_TRY(choose_precision(run_.precision, gpu));
      gpus_.push_back(gpu);
    }
    return {};
  }

  /// Leaves out devices that do not multiply what was asked for, and says so; the first one's error where none is left.
  Result<void> check_precision() {
    std::vector<UnusableDevice> without;
    std::optional<Error> first;
    std::erase_if(devices_, [&](const Device& device) {
      const auto chosen = training::choose_precision(run_.precision, *device.backend);
      if (chosen) return false;
      if (!first) first = chosen.error();
      without.push_back({device.name, chosen.error().message});
      return true;
    });
    if (first && devices_.empty()) return *first;
    std::ranges::move(without, std::back_inserter(plan_.unusable));
    return {};
  }

  Result<void> scan() {
    const CostWatch watch;
    FOVEA_ASSIGN(data_, scan_dataset(run_.data, {.strict = run_.strict}));
    FOVEA_TRY(check_trainable(data_));
    scan_ = watch.elapsed();
    samples_ = spread_samples(data_.train, kSamples);
    facts_ = facts_of(run_, static_cast<std::int64_t>(data_.train.size()), static_cast<std::int64_t>(data_.val.size()),
                      data_.class_count());
    facts_.test = static_cast<std::int64_t>(data_.test.size());
    facts_.none = static_cast<std::int64_t>(data_.none.train.size() + data_.none.val.size());
    plan_.train_photos = facts_.train;
    plan_.val_photos = facts_.val;
    plan_.epochs = facts_.scope == Scope::kHead ? 0 : facts_.epochs;
    return {};
  }

  [[nodiscard]] NetworkSpec spec_at(const Architecture& network, const Preprocess& input) const {
    NetworkSpec spec = network.spec;
    spec.height = input.height;
    spec.width = input.width;
    spec.classes = std::max(2, data_.class_count());
    return spec;
  }

  /// Measured once for each input and whoever makes its pixels.
  Result<PhotoCosts> photos_for(const Preprocess& preprocess, bool drawn_only) {
    const std::pair key(preprocess.height, drawn_only);
    if (const auto known = photos_.find(key); known != photos_.end()) return known->second;
    FOVEA_ASSIGN(PhotoCosts costs, probe_photos(context_, samples_, preprocess, run_, facts_.epochs, drawn_only));
    // Whatever was slow to read is read now.
    if (!photos_.empty()) costs.disk = photos_.begin()->second.disk;
    if (photos_.empty()) plan_.photos_per_second = 1 / std::max(costs.decode.seconds, 1e-9);
    return photos_.emplace(key, costs).first->second;
  }

  const HeadCosts& head_for(std::int64_t photos, std::int64_t width) {
    auto known = heads_.find(width);
    if (known == heads_.end()) known = heads_.emplace(width, probe_head(context_, photos, width, data_.class_count())).first;
    return known->second;
  }

  /// At its usual input and, where a run that can be had might choose it, at the larger one.
  Result<void> plan_network(const Architecture& network, const Device& device) {
    TrainOptions run = run_;
    run.arch = network.name;
    const bool weights_here = training::find_weights(run).ok();
    NetworkPlan plan;
    plan.arch = network.name;
    plan.device = device.name;
    plan.published_accuracy = published_accuracy(network.spec);
    plan.weights_here = weights_here;
    FOVEA_ASSIGN(const auto usual, probe(network, network.preprocess, device, plan));
    if (!usual) return {};
    const Preprocess larger_input = training::with_larger_input(network.preprocess);
    const bool may_grow = facts_.sizes && (weights_here || !options_.archs.empty());
    if (!may_grow || !validate(spec_at(network, larger_input)).ok()) return {};
    plan.usual_size = network.preprocess.height;
    FOVEA_TRY(probe(network, larger_input, device, plan, &*usual));
    return {};
  }

  /// Adds a plan, made of `plan` and what is measured. Nothing: it could not be measured.
  Result<std::optional<SizeCosts>> probe(const Architecture& network, const Preprocess& input, const Device& device,
                                         NetworkPlan plan, const SizeCosts* usual = nullptr) {
    plan.size = input.height;
    SizeCosts costs;
    costs.pixels = std::int64_t{3} * input.height * input.width;
    FOVEA_ASSIGN(costs.photos, photos_for(input, device.backend->training() != nullptr));
    const NetworkProbe probe{context_, *device.backend, samples_, run_, facts_, options_.seconds_per_network};
    const Architecture sized{network.name, spec_at(network, input), input};
    auto measured = probe_network(probe, sized);
    if (!measured && measured.error().kind == Error::Kind::kCancelled) return measured.error();
    if (measured) {
      costs.network = std::move(*measured);
      FOVEA_ASSIGN(const graph::Graph graph, build_network(sized.spec));
      const HeadCosts& head = head_for(facts_.train, graph.shape(*graph.output("features"))[1]);
      FOVEA_ASSIGN(const graph::Precision chosen, training::choose_precision(run_.precision, *device.backend));
      tell_precision(plan, chosen, costs.network.precision);
      fill(plan, cost_of_run(facts_, scan_, usual != nullptr ? *usual : costs, usual != nullptr ? &costs : nullptr, head), costs);
    } else {
      plan.not_measured = measured.error().message;
    }
    if (on_network_) on_network_(plan);
    plan_.networks.push_back(std::move(plan));
    return measured ? std::optional(std::move(costs)) : std::nullopt;
  }

  /// At its usual input, between two bounds.
  Result<void> estimate_network(const Architecture& network, const GpuModel& gpu) {
    if (context_.stop_requested()) return fail(Error::Kind::kCancelled, "stopped on request");
    TrainOptions run = run_;
    run.arch = network.name;
    NetworkPlan plan;
    plan.arch = network.name;
    plan.device = gpu.name;
    plan.size = network.preprocess.height;
    plan.published_accuracy = published_accuracy(network.spec);
    plan.weights_here = training::find_weights(run).ok();
    FOVEA_ASSIGN(const PhotoCosts photos, photos_for(network.preprocess, false));
    const NetworkSpec spec = spec_at(network, network.preprocess);
    FOVEA_ASSIGN(const GpuCosts costs,
                 gpu_costs(spec, gpu, facts_, photos, CachedForm::working(network.preprocess).shorter_side));
    FOVEA_ASSIGN(const graph::Graph graph, build_network(spec));
    const HeadCosts& head = head_for(facts_.train, graph.shape(*graph.output("features"))[1]);
    RunFacts facts = facts_;
    facts.sizes = false;  // a larger input is another row where it is measured
    fill(plan, cost_of_run(facts, scan_, costs.at_best, nullptr, head), costs.at_best);
    const RunCost slow = cost_of_run(facts, scan_, costs.at_worst, nullptr, head);
    plan.memory = costs.bytes;
    tell_precision(plan, costs.precision, costs.precision);
    plan.estimate = NetworkPlan::Estimate{gpu.gb_s,
                                          gpu.fp32_tflops,
                                          tflops_of(gpu, costs.precision),
                                          gpu.gib,
                                          std::string(gpu.source),
                                          1 / costs.at_worst.network.learn.seconds,
                                          planned(slow.epoch),
                                          planned(slow.whole),
                                          costs.largest_batch,
                                          costs.holds_data_set};
    if (on_network_) on_network_(plan);
    plan_.networks.push_back(std::move(plan));
    return {};
  }

  void tell_precision(NetworkPlan& plan, graph::Precision chosen, graph::Precision used) const {
    if (facts_.scope == Scope::kHead) return;
    plan.precision = graph::name_of(used);
    plan.precision_reason = training::precision_reason(run_.precision, chosen, used);
  }

  static void fill(NetworkPlan& plan, const RunCost& cost, const SizeCosts& costs) {
    plan.parameters = costs.network.parameters;
    plan.looks_per_second = 1 / costs.network.look.seconds;
    plan.steps_per_second = costs.network.learn.seconds > 0 ? 1 / costs.network.learn.seconds : 0;
    if (plan.steps_per_second > 0 && !plan.estimate) {
      plan.wait_share = waiting_share(costs.network.learn, costs.photos.vary, plan.device != "cpu");
    }
    plan.memory = cost.bytes;
    plan.features = planned(cost.features);
    plan.first_model = planned(cost.first_model);
    plan.refit = planned(cost.refit);
    plan.head = planned(cost.head);
    plan.trial = planned(cost.trial);
    plan.epoch = planned(cost.epoch);
    plan.whole = planned(cost.whole);
  }

  TrainingPlanOptions options_;
  const TrainOptions& run_;
  const std::function<void(const NetworkPlan&)>& on_network_;
  Context context_;
  CostWatch watch_;
  LoadWatch load_;
  std::vector<Architecture> networks_;
  std::vector<Device> devices_;
  std::vector<GpuModel> gpus_;
  Dataset data_;
  std::vector<Sample> samples_;
  RunFacts facts_;
  Cost scan_;
  std::map<std::pair<int, bool>, PhotoCosts> photos_;  ///< by input side, and whether a device makes the pixels
  std::map<std::int64_t, HeadCosts> heads_;            ///< by width of the features
  TrainingPlan plan_;
};

}  // namespace

Result<TrainingPlan> plan_training(const TrainingPlanOptions& options,
                                   const std::function<void(const NetworkPlan&)>& on_network) {
  return Planner(options, on_network).plan();
}

}  // namespace fovea
