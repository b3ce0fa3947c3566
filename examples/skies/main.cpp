// Fovea skies: paints labelled skies, so that a weather classifier can be trained without a photo at hand.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "core/context.h"
#include "core/error.h"
#include "core/file.h"
#include "core/parallel.h"
#include "image/encode.h"
#include "render.h"

namespace {

struct Options {
  std::filesystem::path out;
  int count = 300;
  std::string size = "320x240";
  std::uint64_t seed = 1;
  int timelapse = 0;
  int threads = 0;
};

fovea::Result<void> save(const std::filesystem::path& path, const fovea::Image& image) {
  constexpr int kQuality = 90;
  const auto bytes = fovea::encode_jpeg(image, kQuality);
  return fovea::write_file_atomically(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

bool parse_size(const std::string& text, int& width, int& height) {
  const char* const end = text.data() + text.size();
  const auto [cross, bad_width] = std::from_chars(text.data(), end, width);
  if (bad_width != std::errc() || cross == end || *cross != 'x') return false;
  const auto [last, bad_height] = std::from_chars(cross + 1, end, height);
  return bad_height == std::errc() && last == end && width >= 16 && height >= 16 && width <= 8192 && height <= 8192;
}

// The error of the first picture that failed, if one did: `paint_one(i)` for every i of `count`, over all threads.
template <class PaintOne>
fovea::Result<void> for_each_picture(const fovea::Context& context, int count, const PaintOne& paint_one) {
  std::vector<fovea::Result<void>> done(static_cast<std::size_t>(count));
  fovea::parallel_for(context, count,
                      [&](std::int64_t i) { done[static_cast<std::size_t>(i)] = paint_one(static_cast<int>(i)); });
  const auto failed = std::find_if(done.begin(), done.end(), [](const auto& result) { return !result; });
  return failed == done.end() ? fovea::Result<void>() : *failed;
}

fovea::Result<void> paint_classes(const fovea::Context& context, const Options& options, int width, int height) {
  return for_each_picture(context, options.count, [&](int i) -> fovea::Result<void> {
    const auto item = static_cast<std::uint32_t>(i);
    const skies::Label label = skies::kLabels[item % skies::kLabels.size()];
    FOVEA_ASSIGN(const skies::Picture picture, skies::paint(label, width, height, options.seed, item));
    const auto file = options.out / skies::name_of(label) / fmt::format("{:05}.jpg", item / skies::kLabels.size());
    return save(file, picture.image);
  });
}

fovea::Result<void> paint_timelapse(const fovea::Context& context, const Options& options, int width, int height) {
  return for_each_picture(context, options.timelapse, [&](int i) {
    const auto picture = skies::render(skies::timelapse_scene(width, height, options.seed, i, options.timelapse));
    return save(options.out / fmt::format("frame-{:04}.jpg", i + 1), picture.image);
  });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Paints skies in folders clear, semi-clear and cloudy: fovea-skies skies --count 300");
  Options options;
  app.add_option("OUT", options.out, "folder to fill")->required();
  app.add_option("--count", options.count, "pictures, dealt out evenly to the classes")->check(CLI::Range(1, 1000000));
  app.add_option("--size", options.size, "WIDTHxHEIGHT in pixels");
  app.add_option("--seed", options.seed, "the same seed paints the same skies");
  app.add_option("--timelapse", options.timelapse, "instead: this many frames of a sky whose weather worsens")
      ->check(CLI::Range(1, 1000000));
  app.add_option("--threads", options.threads, "0: all processors")->check(CLI::Range(0, 1024));
  CLI11_PARSE(app, argc, argv);
  int width = 0;
  int height = 0;
  if (!parse_size(options.size, width, height)) {
    fmt::print(stderr, "--size {}: expected WIDTHxHEIGHT, each from 16 to 8192\n", options.size);
    return 2;
  }
  fovea::Context context;
  context.threads = options.threads > 0 ? options.threads : fovea::available_processors();
  std::error_code code;
  std::filesystem::create_directories(options.out, code);
  if (options.timelapse == 0) {
    for (const skies::Label label : skies::kLabels)
      std::filesystem::create_directories(options.out / skies::name_of(label), code);
  }
  if (code) {
    fmt::print(stderr, "{}: {}\n", options.out.string(), code.message());
    return 2;
  }
  const auto done =
      options.timelapse > 0 ? paint_timelapse(context, options, width, height) : paint_classes(context, options, width, height);
  if (!done) {
    fmt::print(stderr, "{}\n", done.error().message);
    return 2;
  }
  fmt::print(stderr, "{} pictures of {}x{} in {}\n", options.timelapse > 0 ? options.timelapse : options.count, width, height,
             options.out.string());
}
