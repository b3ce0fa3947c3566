// Fovea: pictures and records for tests of the watch.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <string>

#include "image/encode.h"
#include "watch/source.h"
#include "watch/store.h"

namespace fovea::watching {

/// A JPEG of one colour.
inline Picture picture_of(int width, int height, std::uint8_t level) {
  Image image(width, height);
  std::fill(image.pixels.begin(), image.pixels.end(), level);
  return encode_jpeg(image, 90);
}

inline void write_picture(const std::filesystem::path& path, const Picture& picture) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(picture.data()), static_cast<std::streamsize>(picture.size()));
}

inline std::chrono::sys_seconds time_of(std::int64_t slot) {
  return std::chrono::sys_seconds(std::chrono::seconds(1'790'000'400 + 600 * slot));
}

inline WatchRecord classified(std::int64_t slot, std::string label = "clear", double probability = 0.9) {
  WatchRecord record;
  record.time = time_of(slot);
  record.utc_offset = std::chrono::hours(1);
  record.state = SlotState::kClassified;
  record.predictions = {{std::move(label), probability}, {"other", 1 - probability}};
  record.sun = 12.5;
  return record;
}

inline WatchRecord fault(std::int64_t slot, std::string text) {
  WatchRecord record;
  record.time = time_of(slot);
  record.fault = std::move(text);
  return record;
}

inline std::vector<WatchRecord> all_of(Store& store) {
  std::vector<WatchRecord> records;
  EXPECT_TRUE(store
                  .each([&](const WatchRecord& r) {
                    records.push_back(r);
                    return true;
                  })
                  .ok());
  return records;
}

}  // namespace fovea::watching
