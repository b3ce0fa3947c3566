// Fovea: JPEG files decoded and scaled down by nvJPEG and the backend's own kernels.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "backend/cuda/jpeg/nvjpeg_library.h"
#include "backend/cuda/machine.h"
#include "backend/jpeg_decoder.h"

namespace fovea::cuda {

/// Every thread that decodes has a lane of the machine, and a state of the library, until it is done; they are kept for the next.
[[nodiscard]] std::shared_ptr<JpegDecoder> make_nvjpeg_decoder(std::shared_ptr<Machine> machine,
                                                               std::shared_ptr<const NvJpegLibrary> library);

}  // namespace fovea::cuda
