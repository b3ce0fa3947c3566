// Fovea: a data set and a backbone small enough to train in a moment.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "core/rng.h"
#include "data/photos.h"
#include "format/safetensors.h"
#include "fovea/trainer.h"
#include "model/network.h"
#include "model/registry.h"
#include "model/weights.h"

namespace fovea::test {

/// A picture of one colour with noise: class 0 reddish, 1 greenish, 2 bluish.
inline Image coloured_photo(int label, std::uint32_t number) {
  Image image(48, 40);
  Rng rng(11, static_cast<std::uint32_t>(label), number);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    const int base = static_cast<int>(i % 3) == label ? 170 : 70;
    image.pixels[i] = static_cast<std::uint8_t>(base + static_cast<int>(rng.below(60)));
  }
  return image;
}

/// root/train and root/val with classes a, b, c.
inline void write_tiny_data(const std::filesystem::path& root, int train = 8, int val = 4) {
  constexpr std::array<const char*, 3> kNames{"a", "b", "c"};
  for (int label = 0; label < 3; ++label) {
    for (int n = 0; n < train + val; ++n) {
      const auto folder = root / (n < train ? "train" : "val") / kNames[static_cast<std::size_t>(label)];
      photo_file(folder / (std::to_string(n) + ".png"), coloured_photo(label, static_cast<std::uint32_t>(n)));
    }
  }
}

/// Random weights of the smallest network, as a weight file.
inline std::filesystem::path write_tiny_weights(const std::filesystem::path& path,
                                                const std::function<void(ParameterSet&)>& change = {}) {
  const auto architecture = find_architecture("mobilenet_v2_0.35");
  const auto graph = build_network(architecture->spec);
  ParameterSet parameters(*graph);
  initialize_parameters(parameters, 5);
  if (change) change(parameters);
  std::vector<StoredTensor> tensors;
  for (const auto& entry : parameters.entries()) {
    const auto extents = entry.shape.extents();
    tensors.push_back({entry.name, DType::kF32, {extents.begin(), extents.end()}, std::as_bytes(parameters.values(entry))});
  }
  EXPECT_TRUE(write_safetensors(path, tensors, {}).ok());
  return path;
}

/// Trains in about a second: the smallest network at 32 pixels.
inline TrainOptions tiny_options(const TemporaryFolder& folder) {
  TrainOptions options;
  options.data = folder / "data";
  options.model = folder / "model";
  options.arch = "mobilenet_v2_0.35";
  options.weights = folder / "weights.safetensors";
  options.size = 32;
  options.epochs = 2;
  options.batch = 8;
  options.threads = 1;
  options.fit = FitChoice::kSquash;
  options.scope = Scope::kHead;
  return options;
}

/// The files of tiny_options, and a cache of its own, in `folder`.
inline TrainOptions prepare_tiny_run(const TemporaryFolder& folder) {
  ::setenv("XDG_CACHE_HOME", (folder / "cache").c_str(), 1);
  write_tiny_data(folder / "data");
  write_tiny_weights(folder / "weights.safetensors");
  return tiny_options(folder);
}

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace fovea::test
