// SPDX-License-Identifier: Apache-2.0
#include "train/run_identity.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <optional>
#include <type_traits>

#include "core/hash.h"
#include "fovea/version.h"
#include "train/precision.h"

namespace fovea::training {
namespace {

template <class T>
std::string text_of(const T& value) {
  if constexpr (std::is_enum_v<T> || std::is_same_v<T, bool>) {
    return fmt::format("{}", static_cast<int>(value));
  } else {
    return fmt::format("{}", value);
  }
}

template <class T>
std::string text_of(const std::optional<T>& value) {
  return value ? text_of(*value) : "chosen";
}

/// Name, size and time of change: enough to notice that another photo lies there now.
std::uint64_t fingerprint_of_file(const std::filesystem::path& path, std::uint64_t seed) {
  struct stat status {};
  const bool there = ::stat(path.c_str(), &status) == 0;
  const std::array<std::int64_t, 3> facts{there ? status.st_size : -1, there ? status.st_mtim.tv_sec : 0,
                                          there ? status.st_mtim.tv_nsec : 0};
  return hash64(std::as_bytes(std::span(facts)), hash64(path.string(), seed));
}

std::string fingerprint_of_data(const Dataset& data) {
  std::uint64_t hash = 0;
  for (const std::string& name : data.classes) hash = hash64(name, hash);
  for (const auto* split : {&data.train, &data.val, &data.test}) {
    hash = hash64("split", hash);
    for (const Sample& sample : *split) {
      hash = fingerprint_of_file(sample.path, hash64(std::as_bytes(std::span(sample.labels)), hash));
    }
  }
  return fmt::format("{} photos, {:016x}", data.train.size() + data.val.size() + data.test.size(), hash);
}

/// With "auto" the outcome depends on what the processor can.
std::string_view precision_of(PrecisionChoice asked, const Backend& backend) {
  const auto chosen = choose_precision(asked, backend);
  return chosen ? graph::name_of(*chosen) : "none";
}

}  // namespace

Checkpoint::Identity run_identity(const TrainOptions& options, const Dataset& photos, const Device& device,
                                  std::string_view decoder) {
  // Every option by its place, so that a new one does not compile until it is decided here whether it changes the outcome.
  const auto& [data, more_data, model, run_folder, arch, weights, pretrained, scope, head, batchnorm, fit, zoom, size, epochs,
               batch, time_budget_s, optimizer, lr, weight_decay, momentum, label_smoothing, dropout, clip_norm, ema_decay, mixup,
               cutmix, balance, class_weights, augment, reject_rate, multi_label, val_fraction, folds, folds_of_recipe, seed,
               threads, deterministic, precision, decode, device_name, strict, resume, checkpoint_interval_s, stop] = options;
  return {{"program version", std::string(version())},
          {"photos", fingerprint_of_data(photos)},
          {"device", fmt::format("{}, {}", device.name, device_name)},
          {"arch", arch},
          {"weights", weights.string()},
          {"pretrained", text_of(pretrained)},
          {"scope", text_of(scope)},
          {"head", text_of(head)},
          {"bn", text_of(batchnorm)},
          {"fit", text_of(fit)},
          {"zoom", text_of(zoom)},
          {"size", text_of(size)},
          {"epochs", text_of(epochs)},
          {"batch", text_of(batch)},
          {"time-budget", text_of(time_budget_s)},
          {"optimizer", text_of(optimizer)},
          {"lr", text_of(lr)},
          {"weight-decay", text_of(weight_decay)},
          {"momentum", text_of(momentum)},
          {"label-smoothing", text_of(label_smoothing)},
          {"dropout", text_of(dropout)},
          {"clip", text_of(clip_norm)},
          {"ema", text_of(ema_decay)},
          {"mixup", text_of(mixup)},
          {"cutmix", text_of(cutmix)},
          {"balance", text_of(balance)},
          {"class-weights", text_of(class_weights)},
          {"augment", text_of(augment)},
          {"reject-rate", text_of(reject_rate)},
          {"multi-label", text_of(multi_label)},
          {"val", text_of(val_fraction)},
          {"folds", text_of(folds)},
          {"folds-of", text_of(folds_of_recipe)},
          {"seed", text_of(seed)},
          {"precision", fmt::format("{}, {}", text_of(precision), precision_of(precision, *device.backend))},
          {"decode", fmt::format("{}, {}", text_of(decode), decoder)},
          {"strict", text_of(strict)}};
}

}  // namespace fovea::training
