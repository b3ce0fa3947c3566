// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/kernels/pictures.h"

#include "backend/cuda/kernels/picture_levels.h"

namespace fovea::cuda {
namespace {

constexpr int kParts = 16;  // of a picture, each with counts of its own
constexpr int kLevels = 256;

/// The pieces of Pictures::work.
struct Work {
  std::uint8_t *now, *next;  // (count, height, width, 3): what the steps go between
  std::uint8_t* tables;      // (count, 3, kLevels)
  std::int32_t* lines;       // (count, height): sums of luminances
  std::int32_t* counts;      // (count, 3, kParts, kLevels)
  std::size_t bytes;

  Work(std::byte* memory, std::int64_t count, std::int64_t height, std::int64_t width) {
    std::size_t at = 0;
    const auto take = [&](std::int64_t size) {
      std::byte* begin = memory == nullptr ? nullptr : memory + at;
      at += (static_cast<std::size_t>(size) + 255) / 256 * 256;
      return begin;
    };
    now = reinterpret_cast<std::uint8_t*>(take(3 * count * height * width));
    next = reinterpret_cast<std::uint8_t*>(take(3 * count * height * width));
    tables = reinterpret_cast<std::uint8_t*>(take(count * 3 * kLevels));
    lines = reinterpret_cast<std::int32_t*>(take(count * height * 4));
    counts = reinterpret_cast<std::int32_t*>(take(count * 3 * kParts * kLevels * 4));
    bytes = at;
  }
};

/// Step `number` of a picture, kNone where it has fewer.
struct Steps {
  const PictureOrder* orders;
  const PictureStep* all;
  int number;
  FOVEA_INLINE PictureStep of(int picture) const {
    const PictureOrder& order = orders[picture];
    return number < order.steps ? all[order.first_step + number] : PictureStep();
  }
};

FOVEA_INLINE bool contains(const PictureWindow& window, int x, int y) {
  return x >= window.left && y >= window.top && x < window.left + window.width && y < window.top + window.height;
}

FOVEA_INLINE std::uint8_t rounded(std::int32_t sum) {
  const std::int32_t level = sum >> kPictureWeightBits;
  return static_cast<std::uint8_t>(level < 0 ? 0 : level > 255 ? 255 : level);
}

/// The sample of which `column` and `row` are the axes' numbers.
FOVEA_INLINE void resample(const PictureOrder& order, const std::int32_t* column, const std::int32_t* row, std::uint8_t* to) {
  const std::int32_t* inner = order.down_first ? row : column;
  const std::int32_t* outer = order.down_first ? column : row;
  const std::int64_t inner_step = order.down_first ? 3 * std::int64_t{order.row_pixels} : 3;
  const std::int64_t outer_step = order.down_first ? 3 : 3 * std::int64_t{order.row_pixels};
  constexpr std::int32_t kHalf = 1 << (kPictureWeightBits - 1);
  std::int32_t sums[3] = {kHalf, kHalf, kHalf};
  for (int j = 0; j < outer[1]; ++j) {
    const std::uint8_t* from = order.pixels + (outer[0] + j) * outer_step + inner[0] * inner_step;
    std::int32_t part[3] = {kHalf, kHalf, kHalf};
    for (int i = 0; i < inner[1]; ++i, from += inner_step) {
      for (int c = 0; c < 3; ++c) part[c] += from[c] * inner[2 + i];
    }
    for (int c = 0; c < 3; ++c) sums[c] += rounded(part[c]) * outer[2 + j];
  }
  for (int c = 0; c < 3; ++c) to[c] = rounded(sums[c]);
}

void fit(Stream stream, const Pictures& p, const Work& work) {
  launch(stream, std::int64_t{p.count} * p.height * p.width, [p, to = work.now] FOVEA_KERNEL(int index) {
    const PictureOrder& order = p.orders[index / p.width / p.height];
    int x = index % p.width, y = index / p.width % p.height;
    if (order.flip_x) x = p.width - 1 - x;
    if (order.flip_y) y = p.height - 1 - y;
    std::uint8_t* target = to + 3 * std::int64_t{index};
    if (order.pixels == nullptr || !contains(order.place, x, y)) {
      for (int c = 0; c < 3; ++c) target[c] = kPictureGrey;
      return;
    }
    const std::int32_t* column = p.tables + order.columns.first + (x - order.place.left) * order.columns.stride;
    const std::int32_t* row = p.tables + order.rows.first + (y - order.place.top) * order.rows.stride;
    resample(order, column, row, target);
  });
}

/// The tables of this step, where it is one that has any.
void make_tables(Stream stream, const Pictures& p, const Work& work, const Steps& steps) {
  const int height = p.height, width = p.width;
  launch(stream, std::int64_t{p.count} * height, [=, now = work.now, lines = work.lines] FOVEA_KERNEL(int index) {
    if (steps.of(index / height).kind != Kind::kContrast) return;
    const std::uint8_t* line = now + 3 * std::int64_t{index} * width;
    std::int32_t sum = 0;
    for (int x = 0; x < width; ++x) sum += luminance(line + std::int64_t{3} * x);
    lines[index] = sum;
  });
  const std::int64_t pixels = std::int64_t{height} * width;
  launch(stream, std::int64_t{p.count} * 3 * kParts * kLevels,
         [=, now = work.now, counts = work.counts] FOVEA_KERNEL(int index) {
           const int level = index % kLevels, part = index / kLevels % kParts, channel = index / kLevels / kParts % 3;
           const int picture = index / kLevels / kParts / 3;
           if (!has_histogram(steps.of(picture).kind)) return;
           const std::uint8_t* from = now + 3 * picture * pixels + channel;
           std::int32_t count = 0;
           for (std::int64_t i = pixels * part / kParts; i < pixels * (part + 1) / kParts; ++i) count += from[3 * i] == level;
           counts[index] = count;
         });
  // The parts' counts become those of the picture, in the place of the first part's.
  launch(stream, std::int64_t{p.count} * 3 * kLevels, [=, counts = work.counts] FOVEA_KERNEL(int index) {
    if (!has_histogram(steps.of(index / kLevels / 3).kind)) return;
    std::int32_t* first = counts + std::int64_t{index / kLevels} * kParts * kLevels + index % kLevels;
    for (int part = 1; part < kParts; ++part) first[0] += first[part * kLevels];
  });
  launch(stream, std::int64_t{p.count} * 3 * kLevels,
         [=, tables = work.tables, lines = work.lines, counts = work.counts] FOVEA_KERNEL(int index) {
           const int picture = index / kLevels / 3;
           const PictureStep step = steps.of(picture);
           if (!has_table(step.kind)) return;
           float mean = 0.0F;
           if (step.kind == Kind::kContrast) {
             std::int64_t sum = 0;
             for (int y = 0; y < height; ++y) sum += lines[std::int64_t{picture} * height + y];
             mean = static_cast<float>(floor(static_cast<double>(sum) / static_cast<double>(pixels) + 0.5));
           }
           tables[index] = level_after(step, index % kLevels, mean, counts + std::int64_t{index / kLevels} * kParts * kLevels);
         });
}

void take_step(Stream stream, const Pictures& p, const Work& work, const Steps& steps) {
  launch(stream, std::int64_t{p.count} * p.height * p.width, [=] FOVEA_KERNEL(int index) {
    const int x = index % p.width, y = index / p.width % p.height, picture = index / p.width / p.height;
    const Plane8 from{work.now + std::int64_t{3} * picture * p.height * p.width, p.height, p.width};
    const std::uint8_t* own = from.at(x, y);
    std::uint8_t* to = work.next + std::int64_t{3} * index;
    const PictureStep step = steps.of(picture);
    if (has_table(step.kind)) {
      for (int c = 0; c < 3; ++c) to[c] = work.tables[(std::int64_t{picture} * 3 + c) * kLevels + own[c]];
    } else if (step.kind == Kind::kSaturation) {
      saturate(own, step.amount, to);
    } else if (step.kind == Kind::kHue) {
      shift_hue(own, step.amount, to);
    } else if (step.kind == Kind::kSharpness) {
      sharpen(from, x, y, step.amount, to);
    } else if (step.kind == Kind::kTransform) {
      transform(from, x, y, step.map, to);
    } else {
      for (int c = 0; c < 3; ++c) to[c] = own[c];
    }
  });
}

/// Of the batch, before it is mixed.
FOVEA_INLINE float normalised(const Pictures& p, const std::uint8_t* bytes, int picture, int x, int y, int c) {
  const PictureOrder& order = p.orders[picture];
  if (order.pixels == nullptr || contains(order.erased, x, y)) return 0.0F;
  const std::uint8_t level = bytes[3 * ((std::int64_t{picture} * p.height + y) * p.width + x) + c];
  return product(static_cast<float>(level), p.scale[c]) + p.offset[c];
}

void finish(Stream stream, const Pictures& p, const std::uint8_t* bytes) {
  launch(stream, std::int64_t{p.count} * p.height * p.width, [=] FOVEA_KERNEL(int index) {
    const int x = index % p.width, y = index / p.width % p.height, picture = index / p.width / p.height;
    const int partner = p.orders[picture].partner;
    const bool alone = p.mix == Pictures::Mix::kNone || partner == picture;
    const bool patched = !alone && p.mix == Pictures::Mix::kPatch && contains(p.patch, x, y);
    for (int c = 0; c < 3; ++c) {
      float value = normalised(p, bytes, patched ? partner : picture, x, y, c);
      if (!alone && p.mix == Pictures::Mix::kBlend)
        value = product(p.own, value) + product(1.0F - p.own, normalised(p, bytes, partner, x, y, c));
      p.images[std::int64_t{3} * index + c] = value;
    }
  });
}

}  // namespace

std::size_t picture_work_bytes(std::int32_t count, std::int32_t height, std::int32_t width) {
  return Work(nullptr, count, height, width).bytes;
}

const std::uint8_t* fit_pictures(Stream stream, const Pictures& pictures) {
  const Work work(pictures.work, pictures.count, pictures.height, pictures.width);
  fit(stream, pictures, work);
  return work.now;
}

void make_pictures(Stream stream, const Pictures& pictures) {
  Work work(pictures.work, pictures.count, pictures.height, pictures.width);
  fit(stream, pictures, work);
  for (int number = 0; number < pictures.most_steps; ++number) {
    const Steps steps{pictures.orders, pictures.steps, number};
    make_tables(stream, pictures, work, steps);
    take_step(stream, pictures, work, steps);
    std::uint8_t* const made = work.next;
    work.next = work.now;
    work.now = made;
  }
  finish(stream, pictures, work.now);
}

}  // namespace fovea::cuda
