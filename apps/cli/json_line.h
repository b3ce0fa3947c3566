// Fovea: an object as the line of JSON that programs read.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace fovea::cli {

/// JSON is UTF-8, and names of files need not be: bytes that are not are shown as U+FFFD, and beside such a KEY stands KEY_bytes,
/// all bytes of the text in base64, by which a program can open the file.
[[nodiscard]] std::string json_line(const nlohmann::ordered_json& object);

}  // namespace fovea::cli
