// Fovea: a batch worked through a few images at a time, so that what lies between two kernels stays in the second-level cache.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "backend/cuda/products.h"
#include "core/error.h"

namespace fovea::cuda {

struct Chunks {
  int total = 0;   ///< images
  int images = 1;  ///< of a chunk; the last may have fewer

  /// As many as fit, each of which moves `bytes_of_image` between kernels.
  [[nodiscard]] static Chunks of(std::int64_t total, std::size_t bytes_of_image, std::size_t cache_bytes) {
    const std::size_t fit = cache_bytes / std::max<std::size_t>(bytes_of_image, 1);
    const auto most = static_cast<std::size_t>(std::max<std::int64_t>(total, 1));
    // Even shares: a small last chunk would cost as much as a large one.
    const std::size_t images = std::clamp<std::size_t>(fit, 1, most), count = (most + images - 1) / images;
    return {static_cast<int>(total), static_cast<int>((most + count - 1) / count)};
  }
  [[nodiscard]] int rest() const { return total % images; }

  /// Calls body(first image, images).
  template <class Body>
  void for_each(const Body& body) const {
    for (int first = 0; first < total; first += images) body(first, std::min(images, total - first));
  }
};

/// A product for chunks of both sizes.
class ChunkedProduct {
 public:
  /// `shape` has m (or k, with `over_rows`: sums over rows) of one image.
  static Result<ChunkedProduct> prepare(Products& products, const Chunks& chunks, const ProductShape& shape, bool over_rows) {
    const auto of = [&](int images) {
      ProductShape made = shape;
      (over_rows ? made.k : made.m) *= images;
      return products.prepare(made);
    };
    ChunkedProduct made;
    made.chunks_ = chunks;
    FOVEA_ASSIGN(made.whole_, of(chunks.images));
    if (chunks.rest() != 0) {
      FOVEA_ASSIGN(made.rest_, of(chunks.rest()));
    }
    return made;
  }
  [[nodiscard]] const Product& of(int images) const { return images == chunks_.images ? *whole_ : *rest_; }

 private:
  Chunks chunks_;
  std::unique_ptr<Product> whole_;
  std::unique_ptr<Product> rest_;
};

}  // namespace fovea::cuda
