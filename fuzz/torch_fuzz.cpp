// Fovea: any bytes as a torch file of either kind, and as a bare pickle, which no checksum protects.
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>

#include "core/shape.h"
#include "format/pickle.h"
#include "format/torch_checkpoint.h"
#include "format/weights.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fovea;
  const Bytes bytes = std::as_bytes(std::span(data, size));
  static_cast<void>(Pickle::parse(bytes).ok());
  for (const auto& read : {read_torch_zip, read_torch_legacy}) {
    const auto contents = read(bytes);
    if (!contents) continue;
    for (const StoredTensor& tensor : contents->tensors) {
      if (checked_elements(tensor.extents) != static_cast<std::int64_t>(tensor.elements())) std::abort();
    }
  }
  const auto file = parse_weights(bytes, "input");
  if (!file) return 0;
  for (const StoredTensor& tensor : file->tensors()) static_cast<void>(file->to_f32(tensor.name).ok());
  return 0;
}
