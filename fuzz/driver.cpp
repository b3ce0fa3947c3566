// Fovea: runs a fuzz target without libFuzzer: every seed file as it is, then seeded mutations of it.
// SPDX-License-Identifier: Apache-2.0
//
//   image_fuzz [FOLDER_OR_FILE...] [--mutations N] [--seed S]
//
// Without a folder or file, the target's own seeds: those named in image_fuzz.seeds beside the program. The input being tried
// lies in image_fuzz.input: it stays there when the program dies, by a crash or because it took more than ten seconds of
// processor time.
#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "core/rng.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

constexpr int kSecondsForOne = 10;

Input read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::filesystem::filesystem_error("cannot read", path, std::error_code(errno, std::generic_category()));
  return {std::istreambuf_iterator<char>(file), {}};
}

void add_seeds(const std::filesystem::path& place, std::vector<Input>& seeds) {
  if (!std::filesystem::is_directory(place)) return seeds.push_back(read(place));
  std::vector<std::filesystem::path> files;  // sorted: the same mutations wherever they run
  for (const auto& entry : std::filesystem::recursive_directory_iterator(place)) {
    // Beside a test's picture lies what it shows, which no target reads.
    if (entry.is_regular_file() && entry.path().extension() != ".ppm") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  for (const auto& file : files) seeds.push_back(read(file));
}

// Tries inputs one after the other, each of them on disk first.
class Trial {
 public:
  explicit Trial(std::string path) : path_(std::move(path)) {
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ < 0)
      throw std::filesystem::filesystem_error("cannot write", path_, std::error_code(errno, std::generic_category()));
  }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;
  ~Trial() {
    ::close(descriptor_);
    ::unlink(path_.c_str());
  }

  void operator()(const Input& input) const {
    const auto size = static_cast<ssize_t>(input.size());
    if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, input.data(), input.size(), 0) != size)
      std::fprintf(stderr, "%s: cannot write the input\n", path_.c_str());
    const itimerval limit{{}, {kSecondsForOne, 0}};
    ::setitimer(ITIMER_PROF, &limit, nullptr);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }

 private:
  std::string path_;
  int descriptor_ = -1;
};

// The faults that storage and transport make (cut, flipped, zeroed, repeated) and a hostile length field.
void mutate(Input& input, fovea::Rng& rng) {
  const auto any = [&] { return rng.below(static_cast<std::uint32_t>(input.size())); };
  const std::uint32_t rounds = 1 + rng.below(8);
  for (std::uint32_t round = 0; round < rounds && !input.empty(); ++round) {
    // Most formats keep what matters in front, so half of the hits go there.
    const std::size_t place = rng.chance(0.5F) ? any() % 512U : any();
    const std::size_t at = place % input.size();
    switch (rng.below(7)) {
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
      case 5: {
        const Input piece(
            input.begin() + static_cast<std::ptrdiff_t>(at),
            input.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(input.size(), at + 1 + rng.below(32))));
        for (std::uint32_t copies = 1 + rng.below(4); copies > 0; --copies)
          input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), piece.begin(), piece.end());
        break;
      }
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
    } else {
      add_seeds(argument, seeds);
    }
  }
  const std::string program = *argv;
  if (seeds.empty()) {
    std::ifstream own(program + ".seeds");
    for (std::string folder; std::getline(own, folder);) add_seeds(folder, seeds);
  }
  if (seeds.empty()) return std::fprintf(stderr, "no seeds, neither as arguments nor named in %s.seeds\n", program.c_str()), 2;
  const Trial attempt(program + ".input");
  for (const Input& input : seeds) attempt(input);
  for (std::uint32_t i = 0; i < mutations; ++i) {
    fovea::Rng rng(seed, 0, i);
    Input input = seeds[rng.below(static_cast<std::uint32_t>(seeds.size()))];
    mutate(input, rng);
    attempt(input);
  }
  std::printf("%zu seeds and %u mutations without a finding\n", seeds.size(), mutations);
}
