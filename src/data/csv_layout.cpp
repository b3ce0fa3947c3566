// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_map>

#include "core/error.h"
#include "core/file.h"
#include "data/csv.h"
#include "data/layouts.h"
#include "data/text.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestCsv = std::size_t{256} << 20;

// Which column holds what.
struct Columns {
  std::size_t path = 0;
  std::size_t label = 0;
  std::optional<std::size_t> split;
  std::size_t count = 0;
};

std::optional<std::size_t> column_named(const CsvRow& header, std::initializer_list<std::string_view> names) {
  for (std::size_t i = 0; i < header.fields.size(); ++i) {
    if (std::find(names.begin(), names.end(), lower_case(trimmed(header.fields[i]))) != names.end()) return i;
  }
  return std::nullopt;
}

Result<Columns> columns_of(const CsvRow& header) {
  const auto path = column_named(header, {"path", "file", "filename", "image"});
  const auto label = column_named(header, {"label", "labels", "class"});
  if (!path || !label) {
    std::string came;
    for (const std::string& field : header.fields) came += (came.empty() ? "" : ",") + field;
    return fail(Error::Kind::kFormat, "line {}: the header is \"{}\", expected path,label or path,label,split{}", header.line,
                printable(came),
                header.fields.size() == 1 && came.find_first_of(";\t") != std::string::npos ? ", separated by commas" : "");
  }
  return Columns{*path, *label, column_named(header, {"split", "set", "subset"}), header.fields.size()};
}

// "a; b;a" as {"a", "b"}.
std::vector<std::string> labels_of(std::string_view field) {
  std::vector<std::string> labels;
  while (true) {
    const std::size_t end = std::min(field.find(';'), field.size());
    const std::string_view label = trimmed(field.substr(0, end));
    if (!label.empty()) labels.emplace_back(label);
    if (end == field.size()) break;
    field.remove_prefix(end + 1);
  }
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  return labels;
}

// The file that a field names. A list that was made on Windows separates folders by backslashes, which a name may hold here.
fs::path file_named(std::string_view field, const fs::path& folder) {
  fs::path path = (folder / field).lexically_normal();
  std::error_code unknown;
  if (field.find('\\') == std::string_view::npos || fs::exists(path, unknown)) return path;
  std::string slashed(field);
  std::ranges::replace(slashed, '\\', '/');
  return (folder / slashed).lexically_normal();
}

Result<NamedSample> sample_of(const CsvRow& row, const Columns& columns, const fs::path& folder) {
  if (row.fields.size() != columns.count) {
    return fail(Error::Kind::kFormat, "line {}: {} fields, expected {} as in the header; quote a field that holds a comma",
                row.line, row.fields.size(), columns.count);
  }
  const std::string_view path = trimmed(row.fields[columns.path]);
  if (path.empty()) return fail(Error::Kind::kFormat, "line {}: the path is empty", row.line);
  NamedSample sample{file_named(path, folder), labels_of(row.fields[columns.label]), Split::kTrain};
  if (!columns.split) return sample;
  const std::string_view split = trimmed(row.fields[*columns.split]);
  if (split.empty()) return sample;
  const auto known = split_from(split);
  if (!known) {
    return fail(Error::Kind::kFormat, "line {}: split is \"{}\", expected train, val or test", row.line, printable(split));
  }
  sample.split = *known;
  return sample;
}

// A photo without labels makes sense only where photos may have several.
Result<void> check_labels(const std::vector<NamedSample>& samples, const std::vector<std::int64_t>& lines) {
  const bool several = std::any_of(samples.begin(), samples.end(), [](const auto& sample) { return sample.labels.size() > 1; });
  for (std::size_t i = 0; i < samples.size() && !several; ++i) {
    if (samples[i].labels.empty()) return fail(Error::Kind::kFormat, "line {}: the label is empty", lines[i]);
  }
  return {};
}

Result<std::vector<NamedSample>> samples_of(const std::vector<CsvRow>& rows, const fs::path& folder, bool strict, Notes& notes) {
  if (rows.empty()) return fail(Error::Kind::kFormat, "line 1: empty, expected the header path,label[,split]");
  FOVEA_ASSIGN(const Columns columns, columns_of(rows.front()));
  std::vector<NamedSample> samples;
  std::vector<std::int64_t> lines;
  std::unordered_map<std::string, std::int64_t> listed;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    FOVEA_ASSIGN(NamedSample sample, sample_of(rows[i], columns, folder));
    const auto [earlier, first_time] = listed.emplace(sample.path.string(), rows[i].line);
    if (!first_time) {
      return fail(Error::Kind::kFormat, "line {}: {} is listed already in line {}; several labels go into one field, as a;b",
                  rows[i].line, printable(sample.path.string(), 300), earlier->second);
    }
    std::error_code unknown;
    if (!fs::exists(sample.path, unknown)) {
      if (strict) return fail(Error::Kind::kNotFound, "line {}: no file {}", rows[i].line, printable(sample.path.string(), 300));
      notes.add_missing("listed but not there", sample.path);
      continue;
    }
    samples.push_back(std::move(sample));
    lines.push_back(rows[i].line);
  }
  FOVEA_TRY(check_labels(samples, lines));
  return samples;
}

}  // namespace

Result<FoundPhotos> read_csv(const fs::path& file, const ScanOptions& options, Notes& notes) {
  FOVEA_ASSIGN(const std::vector<std::byte> bytes, read_file(file, kLargestCsv));
  const auto located = [&](const Error& error) { return fail(error.kind, "{}: {}", file.string(), error.message); };
  const auto rows = parse_csv({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!rows) return located(rows.error());
  auto samples = samples_of(*rows, file.parent_path(), options.strict, notes);
  if (!samples) return located(samples.error());
  return FoundPhotos{Layout::kCsv, std::move(*samples)};
}

}  // namespace fovea
