// Fovea: from tensors in a file to the parameters of a network.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/weights.h"
#include "image/preprocess.h"
#include "model/network.h"
#include "model/seen_photos.h"
#include "runtime/parameters.h"

namespace fovea {

/// The entry of a model's provenance that names the model which its backbone comes from, where photos had shaped that.
inline constexpr std::string_view kWeightsOfPhotos = "trained from";

/// A pretrained network found in a file: what belongs to the weights comes with them.
struct Backbone {
  std::string architecture;  ///< a name that find_architecture knows
  NetworkSpec spec;          ///< with the classes of the file
  Preprocess preprocess;
  WeightFile file;
  /// Photos that have shaped the backbone: of a model that Fovea has fine-tuned, or that was made from one. None: not known.
  std::optional<SeenPhotos> seen;
};

/// Opens a weight file for a network. Padding, eps, momentum, mean, std and size come from the file where it states them
/// (safetensors metadata "padding", "bn_eps", "bn_momentum", "mean", "std", "input", "resize"; the modules of an Ultralytics
/// checkpoint; the card of a model of Fovea's), otherwise they are those of the published weights. kUsage when the file says that
/// it is another network.
Result<Backbone> open_backbone(const std::filesystem::path& path, std::string_view architecture);

/// Copies every parameter and state of the network from the file. Names are those of the published weights; what training
/// programs put before them ("module.", "model.", "state_dict.", ...) is passed over. Tensors of the head whose shape does not
/// fit stay as they are and are named in the result. Anything else that is missing (kNotFound) or has another shape (kFormat) is
/// refused by name.
Result<std::vector<std::string>> fill_parameters(const WeightFile& file, const NetworkSpec& spec, ParameterSet& parameters);

/// Random weights: convolutions normal with variance 2 / (K R S) (He et al., 2015, fan out), dense layers uniform in
/// +-1 / sqrt(C), norms at the identity. Each tensor draws from a stream of its own, keyed by seed and name.
/// `only`: names to initialise; everything when empty.
void initialize_parameters(ParameterSet& parameters, std::uint64_t seed, const std::vector<std::string>& only = {});

}  // namespace fovea
