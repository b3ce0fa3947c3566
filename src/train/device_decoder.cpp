// SPDX-License-Identifier: Apache-2.0
#include "train/device_decoder.h"

#include <utility>

#include "core/device_failure.h"
#include "core/error.h"
#include "data/cache.h"
#include "data/drawn_photo.h"
#include "fovea/figures.h"
#include "image/decode.h"
#include "image/raster.h"
#include "image/resample_weights.h"

namespace fovea::training {

/// kUnsupported: it is the host's.
Result<Image> DeviceDecoder::on_device(std::span<const std::byte> file, int shorter_side, Filter filter) {
  FOVEA_ASSIGN(const StoredJpeg stored, read_stored_jpeg(file));
  FOVEA_ASSIGN(const JpegSize size, device_->size_of(file));
  if (size.width != stored.width || size.height != stored.height) {
    return fail(Error::Kind::kUnsupported, "{}: another size than the header's", device_->name());
  }
  const WorkingSize to = working_size(size.width, size.height, shorter_side);
  const AxisTable columns = axis_table(size.width, 0, size.width, to.width, filter, 0, to.width);
  const AxisTable rows = axis_table(size.height, 0, size.height, to.height, filter, 0, to.height);
  const JpegResampling resampling{{to.width, to.height}, columns.stride,
                                  rows.stride,           columns.values,
                                  rows.values,           down_first(size.width, size.height, to.width, to.height)};
  FOVEA_ASSIGN(auto pixels, device_->decode(file, size, resampling));
  Image image(to.width, to.height);
  image.pixels = std::move(pixels);
  return upright(std::move(image), stored.orientation);
}

Result<Image> DeviceDecoder::decode(std::span<const std::byte> file, int shorter_side, Filter filter) {
  try {
    auto image = on_device(file, shorter_side, filter);
    const bool hosts = !image && image.error().kind == Error::Kind::kUnsupported;
    const std::lock_guard lock(mutex_);
    if (!hosts) {
      decoded_ += image ? 1 : 0;
      return image;
    }
    ++left_[image.error().message];
  } catch (const DeviceFailure& failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) {
      failure_ = fail(Error::Kind::kUnsupported, "decoding on the GPU: {}; --decode cpu does without", failure.what());
    }
    return *failure_;
  }
  return decode_image(file, {.shorter_side_needed = shorter_side});
}

std::string DeviceDecoder::report() const {
  const std::lock_guard lock(mutex_);
  if (decoded_ == 0 && left_.empty()) return "";
  std::string text = fmt::format("{} decoded by {}", counted(decoded_, "photo"), device_->name());
  std::string reasons;
  std::int64_t left = 0;
  for (const auto& [reason, count] : left_) {
    reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : "; ", count, reason);
    left += count;
  }
  if (left > 0) text += fmt::format(", {} by the CPU ({})", left, reasons);
  return text;
}

std::optional<Error> DeviceDecoder::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace fovea::training
