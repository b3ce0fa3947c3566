// SPDX-License-Identifier: Apache-2.0
#include "data/csv.h"

#include <set>

#include "core/error.h"
#include "core/file.h"
#include "core/output_file.h"
#include "fovea/watch.h"
#include "watch/store.h"
#include "watch/time_text.h"

namespace fovea {
namespace watching {
namespace {

Result<std::vector<std::string>> classes_of(Store& store) {
  std::vector<std::string> names;
  FOVEA_ASSIGN(database::Statement select, store.connection().prepare("SELECT name FROM classes ORDER BY name"));
  while (true) {
    FOVEA_ASSIGN(const bool row, select.step());
    if (!row) return names;
    names.push_back(select.text(0));
  }
}

std::string line_of(const WatchRecord& r, const std::vector<std::string>& classes) {
  const bool known = !r.predictions.empty();
  std::string line =
      fmt::format("{},{},{},{},{},{},{},{},{}", utc_text(r.time), time_text(r.time + r.utc_offset, "%Y-%m-%d %H:%M:%S"),
                  name_of(r.state), known ? csv_field(r.predictions.front().label) : "",
                  known ? fmt::format("{:.6g}", r.predictions.front().probability) : "", known ? (r.rejected ? "1" : "0") : "",
                  r.sun ? fmt::format("{:.2f}", *r.sun) : "", csv_field(r.fault), csv_field(r.photo.string()));
  for (const std::string& name : classes) {
    line += ',';
    for (const Prediction& p : r.predictions) {
      if (p.label == name) line += fmt::format("{:.6g}", p.probability);
    }
  }
  return line + "\r\n";
}

}  // namespace
}  // namespace watching

Result<void> write_watch_csv(const std::filesystem::path& records, const std::filesystem::path& csv) {
  using namespace watching;
  FOVEA_TRY(check_text_output(csv));
  FOVEA_ASSIGN(Store store, Store::open(records, database::Access::kReadOnly));
  FOVEA_ASSIGN(const std::vector<std::string> classes, classes_of(store));
  FOVEA_ASSIGN(AtomicFile file, AtomicFile::create(csv));
  std::string text = "time,local,state,class,probability,rejected,sun,fault,photo";
  for (const std::string& name : classes) text += ',' + csv_field(name);
  text += "\r\n";
  Result<void> written;
  FOVEA_TRY(store.each([&](const WatchRecord& record) {
    text += line_of(record, classes);
    if (text.size() < 65536) return true;
    written = file.write(text);
    text.clear();
    return written.ok();
  }));
  if (written) written = file.write(text);
  if (!written) return written;
  return file.commit();
}

}  // namespace fovea
