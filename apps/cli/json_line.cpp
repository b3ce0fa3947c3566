// SPDX-License-Identifier: Apache-2.0
#include "json_line.h"

#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "fovea/base64.h"

namespace fovea::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string dumped(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

bool is_utf8(const std::string& text) { return Json::parse(dumped(text)).get_ref<const std::string&>() == text; }

Json with_bytes(const Json& value) {
  if (!value.is_structured()) return value;
  Json out = value.is_array() ? Json::array() : Json::object();
  for (const auto& [key, item] : value.items()) {
    if (value.is_array()) {
      out.push_back(with_bytes(item));
      continue;
    }
    out[key] = with_bytes(item);
    if (!item.is_string()) continue;
    const auto& text = item.get_ref<const std::string&>();
    if (!is_utf8(text)) out[key + "_bytes"] = base64(std::as_bytes(std::span(text)));
  }
  return out;
}

}  // namespace

std::string json_line(const Json& object) {
  constexpr std::string_view kReplaced = "\xEF\xBF\xBD";
  std::string line = dumped(object);
  return line.find(kReplaced) == std::string::npos ? line : dumped(with_bytes(object));
}

}  // namespace fovea::cli
