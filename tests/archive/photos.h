// Fovea: photos, a model and a catalogue for tests of the archive.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "fovea/archive.h"
#include "image/encode.h"
#include "support/paths.h"
#include "train/tiny_data.h"

namespace fovea::test {

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

/// Every file below a folder with its bytes.
inline std::map<std::string, std::string> files_below(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files[std::filesystem::relative(entry.path(), folder).string()] = bytes_of(entry.path());
  }
  return files;
}

/// What happened, kept.
class Kept final : public ArchiveObserver {
 public:
  void on_photo(const TaggedPhoto& photo) override { photos.push_back(photo); }
  void on_failure(const std::filesystem::path& photo, const Error& error) override { failures.emplace_back(photo, error); }

  std::vector<TaggedPhoto> photos;
  std::vector<std::pair<std::filesystem::path, Error>> failures;
};

/// A model of the classes a, b and c (reddish, greenish, bluish photos), trained once for all tests of a program.
class ArchiveTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    trained_ = new TemporaryFolder;
    const TrainOptions options = prepare_tiny_run(*trained_);
    const auto model = train(options);
    ASSERT_TRUE(model.ok()) << model.error().message;
  }
  static void TearDownTestSuite() { delete trained_; }

  void SetUp() override {
    std::filesystem::create_directories(photos_);
    for (int label = 0; label < 3; ++label) {
      for (std::uint32_t n = 0; n < 3; ++n) {
        const Image image = coloured_photo(label, 100 + n);
        const auto bytes = n == 0 ? encode_png(image) : encode_jpeg(image, 95);
        const std::string name = std::string(1, static_cast<char>('a' + label)) + std::to_string(n) + (n == 0 ? ".png" : ".jpg");
        write_text(photos_ / name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      }
    }
  }

  [[nodiscard]] TagOptions tag_options() const {
    TagOptions options;
    options.model = *trained_ / "model.safetensors";
    options.paths = {photos_};
    options.catalog = catalog_;
    options.min_probability = 0;
    options.threads = 2;
    return options;
  }
  [[nodiscard]] UntagOptions untag_options() const { return {{photos_}, catalog_}; }
  [[nodiscard]] std::vector<std::string> found(FindQuery query) const {
    query.catalog = catalog_;
    const auto photos = find_tagged(query);
    std::vector<std::string> names;
    if (!photos) return {photos.error().message};
    for (const FoundPhoto& photo : *photos) names.push_back(photo.path.filename().string());
    return names;
  }

  static TemporaryFolder* trained_;
  TemporaryFolder folder_;
  std::filesystem::path photos_ = folder_ / "photos";
  std::filesystem::path catalog_ = folder_ / "catalog/archive.sqlite";
};

inline TemporaryFolder* ArchiveTest::trained_ = nullptr;

}  // namespace fovea::test
