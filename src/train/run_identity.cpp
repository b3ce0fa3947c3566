// SPDX-License-Identifier: Apache-2.0
#include "train/run_identity.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>

#include "core/hash.h"
#include "fovea/version.h"

namespace fovea::training {
namespace {

template <class T>
std::string text_of(const std::optional<T>& value) {
  return value ? fmt::format("{}", *value) : "chosen";
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

}  // namespace

Checkpoint::Identity run_identity(const TrainOptions& o, const Dataset& data, const Device& device) {
  const auto number = [](auto value) { return fmt::format("{}", static_cast<int>(value)); };
  return {{"program version", std::string(version())},
          {"photos", fingerprint_of_data(data)},
          {"device", device.name},
          {"arch", o.arch},
          {"weights", o.weights.string()},
          {"pretrained", number(o.pretrained)},
          {"scope", number(o.scope)},
          {"head", number(o.head)},
          {"bn", number(o.batchnorm)},
          {"fit", number(o.fit)},
          {"size", text_of(o.size)},
          {"epochs", text_of(o.epochs)},
          {"batch", text_of(o.batch)},
          {"time-budget", text_of(o.time_budget_s)},
          {"optimizer", number(o.optimizer)},
          {"lr", text_of(o.lr)},
          {"weight-decay", text_of(o.weight_decay)},
          {"momentum", fmt::format("{}", o.momentum)},
          {"label-smoothing", fmt::format("{}", o.label_smoothing)},
          {"dropout", fmt::format("{}", o.dropout)},
          {"clip", fmt::format("{}", o.clip_norm)},
          {"ema", text_of(o.ema_decay)},
          {"mixup", fmt::format("{}", o.mixup)},
          {"cutmix", fmt::format("{}", o.cutmix)},
          {"balance", number(o.balance)},
          {"class-weights", number(o.class_weights)},
          {"augment", o.augment ? number(*o.augment) : "chosen"},
          {"val", fmt::format("{}", o.val_fraction)},
          {"seed", fmt::format("{}", o.seed)},
          {"strict", number(o.strict)}};
}

}  // namespace fovea::training
