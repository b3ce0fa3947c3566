// Fovea: runs a fuzz target without libFuzzer: every seed file as it is, then seeded mutations of it.
// SPDX-License-Identifier: Apache-2.0
//
//   image_fuzz FOLDER_OR_FILE... [--mutations N] [--seed S]
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "core/rng.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

Input read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The faults that storage and transport make (cut, flipped, zeroed, repeated) and a hostile length field.
void mutate(Input& input, fovea::Rng& rng) {
  const auto any = [&] { return rng.below(static_cast<std::uint32_t>(input.size())); };
  const std::uint32_t rounds = 1 + rng.below(8);
  for (std::uint32_t round = 0; round < rounds && !input.empty(); ++round) {
    // Most formats keep what matters in front, so half of the hits go there.
    const std::size_t place = rng.chance(0.5F) ? any() % 512U : any();
    const std::size_t at = place % input.size();
    switch (rng.below(6)) {
      case 0: input[at] ^= static_cast<std::uint8_t>(1U << rng.below(8)); break;
      case 1: input[at] = static_cast<std::uint8_t>(rng()); break;
      case 2: input.resize(at); break;
      case 3:
        std::fill_n(input.begin() + static_cast<std::ptrdiff_t>(at), std::min<std::size_t>(input.size() - at, 1 + rng.below(64)),
                    std::uint8_t{0});
        break;
      case 4:
        std::fill_n(input.begin() + static_cast<std::ptrdiff_t>(at), std::min<std::size_t>(input.size() - at, 4),
                    std::uint8_t{0xFF});
        break;
      default: {
        const std::size_t from = any() % input.size();
        const std::size_t count = std::min<std::size_t>({input.size() - from, input.size() - at, 1 + rng.below(32)});
        std::copy_n(Input(input).begin() + static_cast<std::ptrdiff_t>(from), count,
                    input.begin() + static_cast<std::ptrdiff_t>(at));
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Input> seeds;
  std::uint32_t mutations = 0;
  std::uint64_t seed = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--mutations" && i + 1 < argc) {
      mutations = static_cast<std::uint32_t>(std::strtoul(argv[++i], nullptr, 10));
    } else if (argument == "--seed" && i + 1 < argc) {
      seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (std::filesystem::is_directory(argument)) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(argument)) {
        if (entry.is_regular_file()) seeds.push_back(read(entry.path()));
      }
    } else {
      seeds.push_back(read(argument));
    }
  }
  if (seeds.empty()) return std::fprintf(stderr, "no seed file among the arguments\n"), 2;
  for (const Input& input : seeds) LLVMFuzzerTestOneInput(input.data(), input.size());
  for (std::uint32_t i = 0; i < mutations; ++i) {
    fovea::Rng rng(seed, 0, i);
    Input input = seeds[rng.below(static_cast<std::uint32_t>(seeds.size()))];
    mutate(input, rng);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("%zu seeds and %u mutations without a finding\n", seeds.size(), mutations);
}
