// Fovea: what a file or folder holds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fovea/result.h"

namespace fovea {

/// A model that can classify.
struct ModelDescription {
  std::string architecture;  ///< "efficientnet_lite0"
  std::vector<std::string> classes;
  int height = 0;
  int width = 0;
  std::string fit;     ///< "letterbox", "crop", "squash"
  std::string filter;  ///< "bilinear", "bicubic"
  std::int64_t parameters = 0;
  std::uintmax_t bytes = 0;
  /// When a photo is answered with "unknown".
  struct Rejection {
    double threshold = 0.0;
    double known_rejected = 0.0;  ///< share of `known_photos` that is wrongly rejected
    std::int64_t known_photos = 0;
    std::string measured_on;  ///< what photos these were: "validation photos"
  };
  std::optional<Rejection> rejection;  ///< none: never
  std::vector<double> thresholds;      ///< of photos with any number of labels: from which probability on each class is answered
  /// Where it comes from: data, recipe, accuracy, program version; key and text.
  std::vector<std::pair<std::string, std::string>> provenance;
};

/// Tensors that are not, or not yet, a model.
struct WeightsDescription {
  struct Tensor {
    std::string name;
    std::string dtype;
    std::vector<std::int64_t> extents;
  };
  std::string format;  ///< "safetensors", "PyTorch zip", "PyTorch legacy"
  std::vector<Tensor> tensors;
  std::int64_t elements = 0;
  std::uintmax_t bytes = 0;
  std::vector<std::pair<std::string, std::string>> metadata;
  /// Why it is no model.
  std::string not_a_model;
};

/// A data set as train() would read it.
struct PhotosDescription {
  struct Class {
    std::string name;
    std::int64_t train = 0;
    std::int64_t val = 0;
    std::int64_t test = 0;
  };
  std::string layout;  ///< "class folders", "train/val folders", "CSV"
  std::vector<Class> classes;
  std::vector<std::string> notes;
};

struct PhotoDescription {
  std::string format;  ///< "JPEG"
  int width = 0;       ///< upright
  int height = 0;
  int orientation = 1;  ///< Exif
  std::uintmax_t bytes = 0;
};

using Description = std::variant<ModelDescription, WeightsDescription, PhotosDescription, PhotoDescription>;

/// Says what `path` is, by its content.
Result<Description> describe(const std::filesystem::path& path);

/// The photos that `path` names: itself if it is a file, else every photo below the folder, ordered bytewise. Hidden files
/// and folders are passed over.
Result<std::vector<std::filesystem::path>> find_photos(const std::filesystem::path& path);

}  // namespace fovea
