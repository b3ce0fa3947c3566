// Fovea: the one exception for what a device cannot go on after.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

#include "fovea/result.h"

namespace fovea {

/// Thrown by a device's memory and kernels, where no answer can be given; caught where a smaller request can be made (a batch is
/// split) or at the program's edge, where it becomes an Error.
class DeviceFailure : public std::runtime_error {
 public:
  enum class Kind {
    kOutOfMemory,  ///< less may fit; nothing that was there is lost
    kLost,         ///< the device, or one of its libraries, failed: what it held is gone
  };
  DeviceFailure(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool out_of_memory() const { return kind_ == Kind::kOutOfMemory; }
  /// kLimit when memory was short, kIo when the device is lost.
  [[nodiscard]] Error error() const { return {out_of_memory() ? Error::Kind::kLimit : Error::Kind::kIo, what()}; }

 private:
  Kind kind_;
};

}  // namespace fovea
