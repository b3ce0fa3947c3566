// SPDX-License-Identifier: Apache-2.0
#include "predict/explain.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "image/encode.h"
#include "image/signed_picture.h"

namespace fovea {
namespace {

std::string lower_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return extension;
}

}  // namespace

Result<void> check_picture(const std::filesystem::path& photo, const std::filesystem::path& picture) {
  const std::string extension = lower_extension(picture);
  if (extension != ".png" && extension != ".jpg" && extension != ".jpeg") {
    return fail(Error::Kind::kUsage, "{}: expected a name that ends in .png or .jpg", picture.string());
  }
  std::error_code absent;
  if (std::filesystem::equivalent(photo, picture, absent)) {
    return fail(Error::Kind::kUsage, "{}: is the photo itself, which is never changed: choose another name", picture.string());
  }
  return check_picture_output(picture);
}

Result<void> write_picture(const Image& image, const std::filesystem::path& path) {
  constexpr int kMostJpegSide = 65535;
  constexpr int kQuality = 90;
  const bool png = lower_extension(path) == ".png";
  if (!png && std::max(image.width, image.height) > kMostJpegSide) {
    return fail(Error::Kind::kLimit, "{}: {} x {} pixels, a JPEG has at most {} a side: use .png", path.string(), image.width,
                image.height, kMostJpegSide);
  }
  return write_signed_picture(path, png ? encode_png(image) : encode_jpeg(image, kQuality));
}

}  // namespace fovea
