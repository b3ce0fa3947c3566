// Fovea: from an item at rest to its answer on a small computer.
// SPDX-License-Identifier: Apache-2.0
//
// What a picture costs here, times what that computer is slower, through the machine that decides, for every moment between two
// pictures at which the item may come to rest.
//
//   bench_scale MODEL PHOTO [FACTOR]
//   bench_scale --costs LOOKING CLASSIFYING
//
// The second takes the milliseconds of that computer as they are told: bench/results/arm64.md has some from counted instructions.
// Times are of one thread; run it with ONEDNN_MAX_CPU_ISA=AVX2 on a processor with more. FACTOR [7.1]: one x86 core of that class
// to four of a Raspberry Pi 4 (1.8 GHz), the larger of two ratios published for ncnn (MobileNetV2: 8.7 ms on one thread of a
// Ryzen 5700G, 61.9 ms on a Pi 4; EfficientNet-B0: 22.9 and 74.2).
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/classifier.h"
#include "image/decode.h"
#include "image/encode.h"
#include "image/resize.h"
#include "scale/steady_answer.h"
#include "scale/view.h"

namespace {

using namespace fovea;
using checkout::Moment;

/// Milliseconds of the middle one of 21 calls.
double cost_of(const std::function<void()>& work) {
  std::vector<double> times;
  for (int i = 0; i < 21; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::ranges::nth_element(times, times.begin() + 10);
  return times[10];
}

struct Cost {
  Moment looking{};    ///< at a picture that moves
  Moment computing{};  ///< and more at one at rest
};

/// From rest to answer when the item comes to rest `phase` after a picture.
Moment delay(Moment interval, Moment phase, const Cost& cost, const std::vector<double>& probabilities, bool rejected) {
  checkout::SteadyAnswer machine(probabilities.size());
  const Moment rest = 50 * interval + phase;
  std::optional<bool> before;
  Moment free{0};
  for (Moment taken{0};; taken += interval) {
    if (taken + interval <= free) continue;  // the processor was busy until a newer one was there
    const bool there = taken >= rest;
    const bool moves = taken < rest || before != there;
    before = there;
    free = std::max(free, taken) + cost.looking;
    if (!machine.see({taken, moves ? 0.2 : 0.001, 1.0, 0.3})) continue;
    free += cost.computing;
    machine.judge(free, probabilities, rejected);
    if (machine.answered()) return free - rest;
  }
}

void report(std::string_view name, const Cost& cost, const std::vector<double>& probabilities, bool rejected) {
  for (const Moment interval : {Moment(33), Moment(67), Moment(100)}) {
    Moment worst{0};
    double sum = 0;
    for (Moment phase{0}; phase < interval; ++phase) {
      const Moment one = delay(interval, phase, cost, probabilities, rejected);
      worst = std::max(worst, one);
      sum += static_cast<double>(one.count());
    }
    fmt::print("{:<8} {:>3} pictures/s   mean {:>3.0f} ms   worst {:>3} ms\n", name, 1000 / interval.count(),
               sum / static_cast<double>(interval.count()), worst.count());
  }
}

void report(const Cost& cost) {
  report("sure", cost, {0.9, 0.06, 0.03, 0.01}, false);
  report("unsure", cost, {0.4, 0.3, 0.2, 0.1}, false);
  report("unknown", cost, {0.4, 0.3, 0.2, 0.1}, true);
}

/// Milliseconds, rounded up.
Moment costs(double milliseconds) { return Moment(static_cast<int>(milliseconds) + 1); }

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: bench_scale MODEL PHOTO [FACTOR]\n       bench_scale --costs LOOKING CLASSIFYING\n");
    return 2;
  }
  if (std::string_view(argv[1]) == "--costs") {
    if (argc < 4) return fmt::print(stderr, "usage: bench_scale --costs LOOKING CLASSIFYING\n"), 2;
    report({costs(std::strtod(argv[2], nullptr)), costs(std::strtod(argv[3], nullptr))});
    return 0;
  }
  const double factor = argc > 3 ? std::strtod(argv[3], nullptr) : 7.1;
  ClassifierOptions options;
  options.device = "cpu";
  options.threads = 1;
  auto classifier = Classifier::open(argv[1], options);
  const auto photo = load_image(argv[2]);
  if (!classifier || !photo) {
    fmt::print(stderr, "{}\n", classifier ? photo.error().message : classifier.error().message);
    return 2;
  }
  const Image picture = resize(*photo, 640, 480, Filter::kBilinear);
  const auto jpeg = encode_jpeg(picture, 90);
  const checkout::View view = checkout::view_of(picture);
  const double decoding = cost_of([&] { static_cast<void>(decode_image(jpeg)); });
  const double looking = cost_of([&] {
    const checkout::View now = checkout::view_of(picture);
    for (int i = 0; i < 3; ++i) static_cast<void>(checkout::share_changed(now, view, checkout::kMotionLevels));
  });
  const double computing =
      cost_of([&] { static_cast<void>(classifier->classify_pixels(picture.pixels, picture.width, picture.height)); });
  fmt::print("a picture of 640 by 480 here, one thread: decoding {:.1f} ms, looking {:.1f} ms, classifying {:.1f} ms\n", decoding,
             looking, computing);
  // The camera's thread decodes while the other computes, but the network has all cores there: counted one after the other.
  const Cost cost{costs(factor * (decoding + looking)), costs(factor * computing)};
  fmt::print("times {:.1f}: looking and decoding {} ms, classifying {} ms\n", factor, cost.looking.count(),
             cost.computing.count());
  report(cost);
  return 0;
}
