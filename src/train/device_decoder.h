// Fovea: photos decoded by the device that trains, where it takes them, and else by the host.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "backend/jpeg_decoder.h"
#include "data/source.h"

namespace fovea::training {

/// Which of the two decodes a photo hangs on its file alone, so the same photo always gets the same pixels. Where the device
/// fails for a reason of its own, the photo is an error, and failure() says so: nothing is put in its place.
class DeviceDecoder final : public FileDecoder {
 public:
  explicit DeviceDecoder(std::shared_ptr<JpegDecoder> device) : device_(std::move(device)) {}

  [[nodiscard]] std::string_view name() const override { return device_->name(); }
  Result<Image> decode(std::span<const std::byte> file, int shorter_side, Filter filter) override;

  /// How many photos which of the two decoded since this was made, and why; empty if none was.
  [[nodiscard]] std::string report() const;
  [[nodiscard]] std::optional<Error> failure() const;

 private:
  Result<Image> on_device(std::span<const std::byte> file, int shorter_side, Filter filter);

  std::shared_ptr<JpegDecoder> device_;
  mutable std::mutex mutex_;
  std::int64_t decoded_ = 0;
  std::map<std::string, std::int64_t> left_;  ///< to the host, by reason
  std::optional<Error> failure_;
};

}  // namespace fovea::training
