// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.h"

#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "format/checksum.h"
#include "format/safetensors.h"
#include "train/run_folder.h"

namespace fovea::training {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string text_of(const Checkpoint::Identity& identity) {
  Json json = Json::object();
  for (const auto& [name, value] : identity) json[name] = value;
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<void> compare(const fs::path& file, const Checkpoint::Identity& identity) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 20;
  FOVEA_ASSIGN(const auto bytes, read_file(file, kMostBytes));
  const Json saved = Json::parse(reinterpret_cast<const char*>(bytes.data()),
                                 reinterpret_cast<const char*>(bytes.data()) + bytes.size(), nullptr, false);
  if (!saved.is_object())
    return fail(Error::Kind::kFormat, "{}: is damaged; train without --resume to start anew", file.string());
  for (const auto& [name, value] : identity) {
    const auto found = saved.find(name);
    const std::string was = found != saved.end() && found->is_string() ? found->get<std::string>() : "not there";
    if (was != value) {
      return fail(Error::Kind::kUsage,
                  "{}: the interrupted run had {} '{}', this one has '{}': run it as it was, or train without --resume to start "
                  "anew",
                  file.parent_path().string(), name, was, value);
    }
  }
  return {};
}

/// What an abandoned run had is kept until the next is abandoned: it may have been a night's work.
void put_aside(const fs::path& folder) {
  std::error_code code;
  if (!fs::exists(folder / kIdentityFile, code)) return;
  fs::path aside = folder;
  aside += ".old";
  fs::remove_all(aside, code);
  fs::rename(folder, aside, code);
}

}  // namespace

Result<Checkpoint> Checkpoint::open(const fs::path& folder, const Identity& identity, const Options& options) {
  Checkpoint checkpoint;
  checkpoint.folder_ = folder;
  checkpoint.interval_s_ = options.interval_s;
  std::error_code code;
  const fs::path file = folder / kIdentityFile;
  if (options.resume && fs::exists(file, code)) {
    FOVEA_TRY(compare(file, identity));
    checkpoint.resumed_ = true;
    remove_all_unfinished(folder);
    return checkpoint;
  }
  put_aside(folder);
  fs::remove_all(folder, code);
  fs::create_directories(folder, code);
  if (code) return fail(Error::Kind::kIo, "{}: cannot make this folder: {}", folder.string(), code.message());
  FOVEA_TRY(write_file_atomically(file, text_of(identity)));
  return checkpoint;
}

Result<std::optional<Checkpoint::Saved>> Checkpoint::recall(const std::string& name) const {
  std::error_code code;
  if (!resumed_ || !fs::exists(file_of(name), code)) return std::optional<Saved>();
  auto opened = open_weights(file_of(name));
  if (!opened) return fail(opened.error().kind, "{}; train without --resume to start anew", opened.error().message);
  WeightFile file = std::move(*opened);
  const auto state = file.metadata().find("state");
  const auto sum = file.metadata().find("checksum");
  if (state == file.metadata().end() || sum == file.metadata().end() ||
      sum->second != checksum_of(file.tensors(), state->second)) {
    return fail(Error::Kind::kFormat, "{}: is damaged; train without --resume to start anew", file.source());
  }
  std::string text = state->second;
  return std::optional<Saved>(Saved{std::move(file), std::move(text)});
}

Result<void> Checkpoint::keep(const std::string& name, std::span<const StoredTensor> tensors, const std::string& state) {
  if (folder_.empty()) return {};
  watch_ = Stopwatch();  // one that cannot be written is not tried again at once
  return write_safetensors(file_of(name), tensors, {{"state", state}, {"checksum", checksum_of(tensors, state)}});
}

void Checkpoint::remove() {
  if (folder_.empty()) return;
  std::error_code code;
  fs::remove_all(folder_, code);
}

StoredTensor stored(std::string name, std::span<const float> values) {
  return {std::move(name), DType::kF32, {static_cast<std::int64_t>(values.size())}, std::as_bytes(values)};
}

StoredTensor stored(std::string name, std::span<const std::int32_t> values) {
  return {std::move(name), DType::kI32, {static_cast<std::int64_t>(values.size())}, std::as_bytes(values)};
}

StoredTensor stored(std::string name, std::span<const std::byte> values) {
  return {std::move(name), DType::kU8, {static_cast<std::int64_t>(values.size())}, values};
}

Result<void> restore(const WeightFile& file, const std::string& name, std::span<std::byte> values) {
  const StoredTensor* tensor = file.find(name);
  if (tensor == nullptr || tensor->data.size() != values.size()) {
    return fail(Error::Kind::kFormat, "{}: '{}' has {} bytes, expected {}; train without --resume to start anew", file.source(),
                name, tensor == nullptr ? 0 : tensor->data.size(), values.size());
  }
  if (!values.empty()) std::memcpy(values.data(), tensor->data.data(), values.size());
  return {};
}

}  // namespace fovea::training
