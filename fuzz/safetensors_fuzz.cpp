// Fovea: any bytes as a safetensors file.
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>

#include "core/shape.h"
#include "format/safetensors.h"
#include "format/weights.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fovea;
  const Bytes bytes = std::as_bytes(std::span(data, size));
  const auto contents = read_safetensors(bytes);
  if (!contents) return 0;
  std::size_t covered = 0;
  for (const StoredTensor& tensor : contents->tensors) {
    covered += tensor.data.size();
    if (checked_elements(tensor.extents) != static_cast<std::int64_t>(tensor.elements())) std::abort();
  }
  if (covered > size) std::abort();  // no tensor may overlap another
  // What one reader accepts, the common one opens, and every tensor converts or says why not.
  const auto file = parse_weights(bytes, "input");
  if (!file) return 0;
  for (const StoredTensor& tensor : file->tensors()) static_cast<void>(file->to_f32(tensor.name).ok());
  return 0;
}
