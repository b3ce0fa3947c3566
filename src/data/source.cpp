// SPDX-License-Identifier: Apache-2.0
#include "data/source.h"

#include "image/decode.h"

namespace fovea {

Result<Image> Decoder::load(const std::filesystem::path& path) {
  DecodeOptions options;
  options.shorter_side_needed = shorter_side_needed_;
  return load_image(path, options);
}

}  // namespace fovea
