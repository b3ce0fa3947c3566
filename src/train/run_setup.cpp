// SPDX-License-Identifier: Apache-2.0
#include "train/run_setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/file.h"
#include "core/user_folders.h"
#include "data/cache.h"
#include "format/weights.h"
#include "model/registry.h"
#include "model/weights.h"

namespace fovea::training {
namespace {

namespace fs = std::filesystem;

Result<void> try_writing(const fs::path& file) {
  FOVEA_ASSIGN(auto probe, AtomicFile::create(file));
  return probe.write(" ");  // never put in place
}

Result<void> make_folder(const fs::path& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) return fail(Error::Kind::kIo, "{}: cannot make this folder: {}", folder.string(), code.message());
  return {};
}

Result<void> check_room(const fs::path& folder) {
  constexpr std::uintmax_t kNeeded = std::uintmax_t{64} << 20;  // the largest model that is common, and its temporary copy
  std::error_code code;
  const fs::space_info space = fs::space(folder, code);
  if (code || space.available >= kNeeded) return {};
  return fail(Error::Kind::kIo,
              "{}: {} MB free, at least {} MB are needed for the model: make room or choose another folder with -o",
              folder.string(), space.available >> 20, kNeeded >> 20);
}

}  // namespace

Result<RunPaths> prepare_paths(const TrainOptions& options) {
  if (options.model.empty()) return fail(Error::Kind::kUsage, "no name for the model was given");
  RunPaths paths{options.model, options.run_folder, {}, {}};
  if (const fs::path name = paths.model.filename(); name.empty() || name == "." || name == "..") {
    return fail(Error::Kind::kUsage, "{}: is a folder; give the name of a file", paths.model.string());
  }
  if (!paths.model.has_extension()) paths.model += ".safetensors";
  if (paths.model.extension() != ".safetensors") {
    return fail(Error::Kind::kUsage, "{}: models are written as .safetensors; give that extension or none", paths.model.string());
  }
  if (fs::is_directory(paths.model))
    return fail(Error::Kind::kUsage, "{}: is a folder; give the name of a file", paths.model.string());
  if (paths.run_folder.empty()) paths.run_folder = fs::path(paths.model).replace_extension(".run");
  const fs::path folder = paths.model.has_parent_path() ? paths.model.parent_path() : fs::path(".");
  std::error_code absent;
  if (!options.weights.empty() && fs::equivalent(options.weights, paths.model, absent)) {
    return fail(Error::Kind::kUsage, "{}: is what --weights reads: give the model another name", paths.model.string());
  }
  FOVEA_TRY(make_folder(folder));
  FOVEA_TRY(try_writing(paths.model));
  FOVEA_TRY(check_room(folder));
  FOVEA_TRY(make_folder(paths.run_folder));
  FOVEA_TRY(check_run_folder(paths.run_folder));
  FOVEA_ASSIGN(paths.folder_lock, lock_run_folder(paths.run_folder));
  FOVEA_ASSIGN(paths.model_lock, lock_model(paths.model));
  remove_unfinished(paths.model);
  FOVEA_TRY(try_writing(paths.run_folder / "log.txt"));
  return paths;
}

Result<fs::path> find_weights(const TrainOptions& options) {
  if (!options.weights.empty()) return options.weights;
  FOVEA_TRY(find_architecture(options.arch));
  FOVEA_ASSIGN(const fs::path folder, user_cache_folder());
  for (const std::string_view extension : kWeightExtensions) {
    const fs::path candidate = folder / fmt::format("{}{}", options.arch, extension);
    std::error_code code;
    if (fs::is_regular_file(candidate, code)) return candidate;
  }
  return fail(Error::Kind::kNotFound,
              "{}: no pretrained weights of {} there: './dev setup' fetches those of efficientnet_lite0; others are given with "
              "--weights FILE; "
              "--from-scratch does without",
              folder.string(), options.arch);
}

Result<void> check_options(const TrainOptions& options) {
  const auto refuse = [](const char* what, double value, const char* expected) {
    return Result<void>(fail(Error::Kind::kUsage, "{} {}: expected {}", what, value, expected));
  };
  if (options.epochs && *options.epochs < 1) return refuse("epochs", *options.epochs, "at least 1");
  if (options.zoom && !(*options.zoom >= 1 && *options.zoom <= 8))
    return refuse("zoom", *options.zoom, "1 (the whole shorter side) to 8");
  if (options.zoom && options.fit != FitChoice::kAuto && options.fit != FitChoice::kCrop) {
    return fail(Error::Kind::kUsage, "a zoom of {}: expected none, or --fit crop: other fits keep the whole photo",
                *options.zoom);
  }
  if (options.batch && (*options.batch < 1 || *options.batch > 4096)) return refuse("batch", *options.batch, "1 to 4096");
  if (options.lr && !(*options.lr > 0 && *options.lr < 100)) return refuse("lr", *options.lr, "a positive rate below 100");
  if (options.weight_decay && !(*options.weight_decay >= 0)) return refuse("weight decay", *options.weight_decay, "0 or more");
  if (!(options.momentum >= 0 && options.momentum < 1)) return refuse("momentum", options.momentum, "0 to below 1");
  if (options.label_smoothing && !(*options.label_smoothing >= 0 && *options.label_smoothing < 1)) {
    return refuse("label smoothing", *options.label_smoothing, "0 to below 1");
  }
  if (!(options.dropout >= 0 && options.dropout < 1)) return refuse("dropout", options.dropout, "0 to below 1");
  if (!(options.clip_norm >= 0)) return refuse("clip norm", options.clip_norm, "0 (none) or more");
  if (options.ema_decay && !(*options.ema_decay >= 0 && *options.ema_decay < 1)) {
    return refuse("weight average", *options.ema_decay, "0 (none) to below 1");
  }
  if (options.folds < 0 || options.folds == 1) return refuse("folds", options.folds, "2 or more, or 0 for none");
  if (!(options.mixup >= 0)) return refuse("mixup", options.mixup, "0 (none) or more");
  if (!(options.cutmix >= 0)) return refuse("cutmix", options.cutmix, "0 (none) or more");
  if (!(options.val_fraction >= 0 && options.val_fraction < 1)) return refuse("val", options.val_fraction, "0 to below 1");
  if (!(options.reject_rate >= 0 && options.reject_rate < 1)) return refuse("reject rate", options.reject_rate, "0 to below 1");
  if (options.time_budget_s && !(*options.time_budget_s > 0))
    return refuse("time budget", *options.time_budget_s, "seconds above 0");
  if (options.decode == DecodeChoice::kGpu && options.scope != Scope::kAuto && options.scope != Scope::kFull) {
    return fail(Error::Kind::kUsage,
                "--decode gpu is for the photos that fine-tuning varies: it goes with --scope full or auto only");
  }
  if (!options.pretrained && options.scope != Scope::kFull) {
    return fail(Error::Kind::kUsage, "random weights have no features to build on: from scratch goes with --scope full only");
  }
  return {};
}

Result<Model> make_model(const TrainOptions& options, const std::vector<std::string>& classes) {
  Model model;
  model.classes = classes;
  std::optional<Backbone> backbone;
  if (options.pretrained) {
    FOVEA_ASSIGN(const fs::path path, find_weights(options));
    FOVEA_ASSIGN(backbone, open_backbone(path, options.arch));
    model.architecture = backbone->architecture;
    model.spec = backbone->spec;
    model.preprocess = backbone->preprocess;
    model.seen = backbone->seen;
  } else {
    FOVEA_ASSIGN(const Architecture architecture, find_architecture(options.arch));
    model.architecture = architecture.name;
    model.spec = architecture.spec;
    model.preprocess = architecture.preprocess;
  }
  model.spec.classes = static_cast<int>(classes.size());
  model.spec.dropout = options.dropout;
  model.spec.head = options.head == HeadKind::kConv ? HeadStyle::kConv : HeadStyle::kLinear;
  if (options.size) model.spec.height = model.spec.width = *options.size;
  model.preprocess.height = model.spec.height;
  model.preprocess.width = model.spec.width;
  FOVEA_ASSIGN(const graph::Graph graph, build_network(model.spec));
  model.parameters = ParameterSet(graph);
  initialize_parameters(model.parameters, options.seed);
  if (backbone) {
    // The head of the weights belongs to other classes, even where there happen to be as many.
    FOVEA_TRY(fill_parameters(backbone->file, model.spec, model.parameters));
    std::vector<std::string> head;
    for (const auto& entry : model.parameters.entries()) {
      if (in_head(model.spec, entry.name)) head.push_back(entry.name);
    }
    initialize_parameters(model.parameters, options.seed, head);
  }
  return model;
}

Result<ParameterSet> copy_parameters(const NetworkSpec& spec, const ParameterSet& from) {
  FOVEA_ASSIGN(const graph::Graph graph, build_network(spec));
  ParameterSet copy(graph);
  std::ranges::copy(from.all(), copy.all().begin());
  return copy;
}

void set_head(const NetworkSpec& spec, const LinearHead& head, ParameterSet& parameters) {
  const std::string name(classifier_name(spec));
  std::ranges::copy(head.weight, parameters.values(*parameters.find(name + ".weight")).begin());
  std::ranges::copy(head.bias, parameters.values(*parameters.find(name + ".bias")).begin());
}

}  // namespace fovea::training
