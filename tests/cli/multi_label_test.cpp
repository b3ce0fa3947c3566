// SPDX-License-Identifier: Apache-2.0
//
// Photos that show several things, from a CSV to answers, with nothing but the program.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "image/decode.h"
#include "image/encode.h"
#include "image/resize.h"
#include "support/paths.h"
#include "support/process.h"

namespace fovea::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::array<const char*, 3> kProduce{"Banana", "Kiwi", "Lemon"};
constexpr int kTile = 112;

/// The n-th photo of a class in shared/data/produce/SPLIT, by name, as a tile.
std::optional<Image> tile_of(const fs::path& split, const std::string& name, std::size_t n) {
  std::vector<fs::path> photos;
  for (const auto& entry : fs::directory_iterator(split / name)) photos.push_back(entry.path());
  std::ranges::sort(photos);
  const auto photo = load_image(photos[n % photos.size()]);
  if (!photo) return std::nullopt;
  return resize(*photo, kTile, kTile, Filter::kBilinear);
}

/// Three places side by side: what `labels` names (a bit each) in a place of its own, grey where there is nothing.
Image collage(const fs::path& split, unsigned labels, std::size_t n) {
  Image whole(3 * kTile, kTile);
  std::ranges::fill(whole.pixels, std::uint8_t{120});
  for (std::size_t k = 0; k < kProduce.size(); ++k) {
    if ((labels >> k & 1U) == 0) continue;
    const auto tile = tile_of(split, kProduce[k], n);
    if (!tile) continue;
    const std::size_t place = (k + n) % 3;
    for (std::size_t y = 0; y < kTile; ++y) {
      std::ranges::copy(std::span(tile->pixels).subspan(y * kTile * 3, kTile * 3),
                        whole.pixels.begin() + static_cast<std::ptrdiff_t>((y * 3 * kTile + place * kTile) * 3));
    }
  }
  return whole;
}

std::string names_of(unsigned labels) {
  std::string names;
  for (std::size_t k = 0; k < kProduce.size(); ++k) {
    if ((labels >> k & 1U) != 0) names += (names.empty() ? "" : ";") + std::string(kProduce[k]);
  }
  return names;
}

/// Collages of every set of labels, those of val from other photos than those of training.
void write_collages(const fs::path& folder, std::size_t train, std::size_t val) {
  const fs::path produce = shared_path("data/produce");
  std::ofstream csv(folder / "labels.csv");
  csv << "path,label,split\n";
  for (unsigned labels = 0; labels < 8; ++labels) {
    for (std::size_t n = 0; n < train + val; ++n) {
      const bool held_out = n >= train;
      const std::string name = std::to_string(labels) + "-" + std::to_string(n) + ".jpg";
      const auto bytes = encode_jpeg(collage(produce / (held_out ? "val" : "train"), labels, n), 90);
      std::ofstream(folder / name, std::ios::binary)
          .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
      csv << name << ',' << names_of(labels) << (held_out ? ",val\n" : ",train\n");
    }
  }
}

json last_of(const Finished& run) { return json::parse(lines_of(run.out).back()); }

TEST(MultiLabelProgram, LearnsFromCollagesOfRealPhotosAndAnswersWithSeveralLabels) {
  FOVEA_NEEDS_SHARED("data/produce");
  FOVEA_NEEDS_SHARED("weights/efficientnet_lite0.safetensors");
  const TemporaryFolder folder;
  write_collages(folder.path(), 6, 3);
  const std::string model = (folder / "model.safetensors").string();
  const std::string data = (folder / "labels.csv").string();
  const Finished trained =
      run_fovea({"train", data, "-o", model, "--weights", shared_path("weights/efficientnet_lite0.safetensors").string(),
                 "--scope", "head", "--fit", "squash", "--size", "160", "--json"});
  ASSERT_EQ(trained.status, 0) << trained.err;
  const json done = last_of(trained);
  EXPECT_EQ(done["classes"], json(kProduce));
  EXPECT_EQ(done["val"]["photos"], 24);
  const json& figures = done["multi_label"];
  // Half of the labels are there, so chance is one half; the interval of 24 photos is told with it.
  EXPECT_DOUBLE_EQ(figures["chance"].get<double>(), 0.5);
  EXPECT_GT(figures["mean_average_precision"].get<double>(), 0.75);
  EXPECT_LT(figures["interval"][0].get<double>(), figures["mean_average_precision"].get<double>());

  const Finished judged = run_fovea({"val", model, data, "--json"});
  ASSERT_EQ(judged.status, 0) << judged.err;
  EXPECT_EQ(last_of(judged)["multi_label"], figures);
  EXPECT_EQ(last_of(judged)["classes"][0]["photos"], 12);

  const std::string everything = (folder / "7-7.jpg").string();
  const Finished answered = run_fovea({"predict", model, everything, "--json"});
  ASSERT_EQ(answered.status, 0) << answered.err;
  const json answer = last_of(answered);
  const json thresholds = last_of(judged)["classes"];
  std::set<std::string> expected;
  for (const json& c : thresholds) {
    for (const json& p : answer["predictions"]) {
      if (p["label"] == c["name"] && p["probability"] >= c["threshold"]) expected.insert(c["name"].get<std::string>());
    }
  }
  EXPECT_EQ(answer["labels"].get<std::set<std::string>>(), expected);
  EXPECT_EQ(answer["predictions"].size(), 3U);
}

}  // namespace
}  // namespace fovea::test
