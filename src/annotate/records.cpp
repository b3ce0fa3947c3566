// SPDX-License-Identifier: Apache-2.0
#include "annotate/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"
#include "data/csv.h"

namespace fovea::annotation {

Result<Records::File> Records::open(const std::filesystem::path& path) {
  File file{path, std::ofstream(path, std::ios::binary | std::ios::trunc)};
  if (!file.stream) return fail(Error::Kind::kIo, "{}: cannot be written: {}", path.string(), std::strerror(errno));
  return file;
}

Result<void> Records::write(File& file, const std::string& line) {
  file.stream << line << '\n';
  if (!file.stream) return fail(Error::Kind::kIo, "{}: could not be written: {}", file.path.string(), std::strerror(errno));
  return {};
}

Result<Records> Records::create(const std::filesystem::path& csv, const std::filesystem::path& jsonl,
                                std::vector<std::string> classes) {
  Records records(std::move(classes));
  if (!csv.empty()) {
    FOVEA_ASSIGN(records.csv_, open(csv));
    std::string header = "frame,seconds,label,rejected,classified";
    for (const std::string& name : records.classes_) header += ',' + csv_field(name);
    for (const std::string& name : records.classes_) header += ',' + csv_field(name + " smooth");
    FOVEA_TRY(write(*records.csv_, header));
  }
  if (!jsonl.empty()) {
    FOVEA_ASSIGN(records.jsonl_, open(jsonl));
  }
  return records;
}

Result<void> Records::add_csv(const FrameRecord& record, std::size_t top) {
  std::string line = fmt::format("{},{:.3f},{},{},{}", record.frame, record.seconds, csv_field(classes_[top]),
                                 record.rejected ? 1 : 0, record.classified ? 1 : 0);
  for (const auto values : {record.raw, record.smooth}) {
    for (const double value : values) line += fmt::format(",{:.6f}", value);
  }
  return write(*csv_, line);
}

Result<void> Records::add_json(const FrameRecord& record, std::size_t top) {
  nlohmann::ordered_json object{{"frame", record.frame},
                                {"seconds", record.seconds},
                                {"label", classes_[top]},
                                {"rejected", record.rejected},
                                {"classified", record.classified}};
  for (std::size_t k = 0; k < classes_.size(); ++k) {
    object["probabilities"][classes_[k]] = record.raw[k];
    object["smoothed"][classes_[k]] = record.smooth[k];
  }
  return write(*jsonl_, object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

Result<void> Records::add(const FrameRecord& record) {
  const auto top = static_cast<std::size_t>(std::ranges::max_element(record.smooth) - record.smooth.begin());
  if (csv_) FOVEA_TRY(add_csv(record, top));
  if (jsonl_) FOVEA_TRY(add_json(record, top));
  return {};
}

Result<void> Records::finish() {
  for (auto* file : {&csv_, &jsonl_}) {
    if (!*file) continue;
    (*file)->stream.close();
    if (!(*file)->stream) {
      return fail(Error::Kind::kIo, "{}: could not be written to its end: {}", (*file)->path.string(), std::strerror(errno));
    }
  }
  return {};
}

}  // namespace fovea::annotation
