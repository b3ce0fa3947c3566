// Fovea: small videos of every kind for tests, made with FFmpeg's libraries.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fovea::test {

struct ClipOptions {
  std::string pixel_format = "yuv420p";
  int width = 64;
  int height = 48;
  int frames = 3;                                    ///< 10 a second
  std::array<std::uint8_t, 3> colour{200, 120, 40};  ///< R, G, B of its left half; the right half is black
  int pixel_width = 1;                               ///< of a pixel, in those of its height
  int clockwise = 0;                                 ///< degrees by which a player turns it
  int colour_space = 1;                              ///< as numbered by ITU-T H.273; 1: BT.709
  bool full_range = false;
  double sound_seconds = 0;  ///< of a 440 Hz tone as AAC, 44100 samples a second; 0: none
  double sound_begins = 0;   ///< relative to the pictures; may be negative
};

/// Lossless pictures (FFV1) in a container by the name's ending: "mov" keeps the turn, "mkv" the range of the colours.
void write_clip(const std::filesystem::path& path, const ClipOptions& options);

struct SoundPacket {
  double seconds = 0;  ///< since the first picture of the file
  std::vector<std::uint8_t> bytes;
};
/// Every packet of a file's sound.
std::vector<SoundPacket> sound_of(const std::filesystem::path& path);

}  // namespace fovea::test
