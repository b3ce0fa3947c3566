// Fovea: what an interrupted run had computed already, kept in files so that nothing is computed twice.
// SPDX-License-Identifier: Apache-2.0
//
// A resumed run goes through the same steps again and takes the results of the expensive ones from here. Every step being
// deterministic, it ends with the same bits as a run that nobody interrupted.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "format/weights.h"
#include "train/reporter.h"

namespace fovea::training {

/// The file by which a folder is a checkpoint's.
inline constexpr const char* kIdentityFile = "run.json";

class Checkpoint {
 public:
  /// Everything that results depend on: options, program version, photos; name and value.
  using Identity = std::vector<std::pair<std::string, std::string>>;

  struct Options {
    double interval_s = 60;  ///< between two savings
    bool resume = false;     ///< go on with what is there; else it is put aside as FOLDER.old
  };

  /// Keeps nothing, recalls nothing.
  Checkpoint() = default;
  /// kUsage when what is there was made with another identity (the message names the first difference); kIo when the folder
  /// cannot be written.
  static Result<Checkpoint> open(const std::filesystem::path& folder, const Identity& identity, const Options& options);

  /// Whether there is something to go on with.
  [[nodiscard]] bool resumed() const { return resumed_; }
  /// Whether as much time as stated has passed since something was kept.
  [[nodiscard]] bool due() const { return !folder_.empty() && watch_.seconds() >= interval_s_; }

  struct Saved {
    WeightFile tensors;
    std::string state;  ///< what keep() was given
  };
  /// Nothing if there is none of that name; kFormat if it is damaged.
  [[nodiscard]] Result<std::optional<Saved>> recall(const std::string& name) const;
  /// Replaces what that name had, all at once: a crash leaves the old or the new. `state`: UTF-8.
  Result<void> keep(const std::string& name, std::span<const StoredTensor> tensors, const std::string& state);

  /// The run has come to its end: nothing is left to go on with.
  void remove();

 private:
  [[nodiscard]] std::filesystem::path file_of(const std::string& name) const { return folder_ / (name + ".safetensors"); }

  std::filesystem::path folder_;
  double interval_s_ = 0;
  bool resumed_ = false;
  Stopwatch watch_;
};

/// One-dimensional tensors, to be kept and put back bit for bit.
[[nodiscard]] StoredTensor stored(std::string name, std::span<const float> values);
[[nodiscard]] StoredTensor stored(std::string name, std::span<const std::int32_t> values);
[[nodiscard]] StoredTensor stored(std::string name, std::span<const std::byte> values);
/// kFormat unless a tensor of that name is there and fills `values` exactly.
Result<void> restore(const WeightFile& file, const std::string& name, std::span<std::byte> values);
/// The tensor's elements, however many.
template <class T>
Result<std::vector<T>> restored(const WeightFile& file, const std::string& name) {
  const StoredTensor* tensor = file.find(name);
  std::vector<T> values(tensor == nullptr ? 0 : tensor->data.size() / sizeof(T));
  if (auto done = restore(file, name, std::as_writable_bytes(std::span(values))); !done) return done.error();
  return values;
}

}  // namespace fovea::training
