// Fovea: what every reader of a weight file gives: named tensors, and what the file says about them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/dtype.h"
#include "core/file.h"
#include "fovea/result.h"

namespace fovea {

/// A named tensor as a file holds it. `data` is dense, row-major, little-endian, at any alignment, and belongs to
/// whoever owns the file.
struct StoredTensor {
  std::string name;
  DType dtype = DType::kF32;
  /// Outermost first; any rank. Their product times the size of `dtype` is `data.size()`.
  std::vector<std::int64_t> extents;
  Bytes data;

  [[nodiscard]] std::size_t elements() const { return data.size() / size_of(dtype); }
};

/// What a PyTorch checkpoint knows beyond its tensors. Everything is optional: older files lack some of it.
struct TorchFacts {
  struct BatchNorm {
    std::string name;  ///< dotted path of the module, as in its tensors' names: "model.0.bn"
    double eps = 0;
    double momentum = 0;
  };
  std::string model_class;               ///< "ultralytics.nn.tasks.ClassificationModel"; empty for a plain state dictionary
  std::string task;                      ///< "classify", "detect", ...
  std::string version;                   ///< of the program that wrote the file
  std::string license;                   ///< as the file states it
  std::string scale;                     ///< size letter from the model's yaml: "n"
  std::vector<std::string> class_names;  ///< by class index
  std::vector<BatchNorm> batch_norms;    ///< in module order
  std::vector<std::int64_t> image_size;  ///< train_args.imgsz: one side, or (height, width); empty if not said
};

/// What a reader makes of a file's bytes, whose owner must outlive it.
struct WeightContents {
  std::vector<StoredTensor> tensors;  ///< in file order, names unique
  std::map<std::string, std::string> metadata;
  std::optional<TorchFacts> torch;                 ///< set by the readers of torch files
  std::vector<std::vector<std::byte>> rearranged;  ///< storage of tensors that were not dense and row-major in the file
};

/// An open weight file: its tensors by name and in file order. Moves, does not copy.
class WeightFile {
 public:
  WeightFile(MappedFile file, std::string source, WeightContents contents);
  WeightFile(WeightFile&&) noexcept = default;
  WeightFile& operator=(WeightFile&&) noexcept = default;

  [[nodiscard]] std::span<const StoredTensor> tensors() const { return contents_.tensors; }
  /// Null when there is none of that name.
  [[nodiscard]] const StoredTensor* find(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return contents_.metadata; }
  /// Null unless PyTorch wrote the file.
  [[nodiscard]] const TorchFacts* torch() const { return contents_.torch ? &*contents_.torch : nullptr; }
  /// The file's name, for messages.
  [[nodiscard]] const std::string& source() const { return source_; }

  /// The elements of a tensor as float, row-major. Fails with kNotFound, or with kFormat when an element is not a
  /// finite float: no network can use such a weight, and the file formats do not check for it.
  [[nodiscard]] Result<std::vector<float>> to_f32(std::string_view name) const;
  /// The same into `out`, which has as many elements as the tensor.
  [[nodiscard]] Result<void> read_f32(const StoredTensor& tensor, std::span<float> out) const;

 private:
  MappedFile file_;
  std::string source_;
  WeightContents contents_;
  std::unordered_map<std::string_view, std::size_t> index_;
};

/// What files of weights are called. The name is a hint for people; what a file is, its content tells.
inline constexpr std::array<std::string_view, 3> kWeightExtensions = {".safetensors", ".pth", ".pt"};

/// A name without extension where nothing lies stands for what training writes under it: with .safetensors, if that is there.
[[nodiscard]] std::filesystem::path weights_path(const std::filesystem::path& path);

/// Opens a file of any kind Fovea reads (safetensors, torch zip, torch legacy), told apart by content, never by
/// name; of weights_path. The file stays mapped; only tensors that are not dense in the file are copied.
/// Fails with one line that names file, field and reason.
Result<WeightFile> open_weights(const std::filesystem::path& name);

/// The same for bytes that the caller keeps alive; `source` stands for the file's name in messages.
Result<WeightFile> parse_weights(Bytes bytes, std::string source);

/// "32x3x3x3"; "scalar" for no extents. For messages.
[[nodiscard]] std::string to_string(std::span<const std::int64_t> extents);

}  // namespace fovea
