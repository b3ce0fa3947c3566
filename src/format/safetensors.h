// Fovea: safetensors: eight bytes of header length, a JSON header, and one flat buffer of tensors.
// SPDX-License-Identifier: Apache-2.0
//
// The format: https://github.com/huggingface/safetensors#format
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "format/weights.h"

namespace fovea {

/// The longest header that is read or written, as in the format's own implementation.
inline constexpr std::size_t kSafetensorsHeaderLimit = 100'000'000;

/// A header length, then '{', as every safetensors file begins.
[[nodiscard]] bool looks_like_safetensors(Bytes file);

/// Tensors (views into `file`, in the order of their offsets) and metadata. The tensors must cover the buffer exactly:
/// no hole, no overlap, nothing behind. Messages name the field and the reason; the caller adds the file.
Result<WeightContents> read_safetensors(Bytes file);

/// Writes all tensors, or leaves the old file as it is. Tensors of wider elements come first, otherwise in the given
/// order, and the buffer begins at a multiple of 64 bytes: each tensor of a mapped file is aligned to its elements.
/// Fails with kUsage when names repeat or a tensor's bytes do not fit its extents.
Result<void> write_safetensors(const std::filesystem::path& path, std::span<const StoredTensor> tensors,
                               const std::map<std::string, std::string>& metadata);

}  // namespace fovea
