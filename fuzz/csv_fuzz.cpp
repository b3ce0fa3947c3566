// Fovea: any bytes as a CSV that lists photos.
// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "data/csv.h"
#include "data/layouts.h"

namespace {

// Beside no photo: every listed one is missing unless its path leads out of the folder.
class Scratch {
 public:
  Scratch() : path_(std::filesystem::temp_directory_path() / ("fovea-csv-fuzz-" + std::to_string(::getpid()) + ".csv")) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code gone;
    std::filesystem::remove(path_, gone);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fovea;
  static const Scratch scratch;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto rows = parse_csv(text);
  if (rows) {
    std::size_t letters = 0;
    for (const CsvRow& row : *rows) {
      if (row.fields.empty() || row.line < 1) std::abort();
      for (const std::string& field : row.fields) letters += field.size();
    }
    if (letters > size) std::abort();
  }
  std::ofstream(scratch.path(), std::ios::binary | std::ios::trunc).write(text.data(), static_cast<std::streamsize>(size));
  Notes notes;
  const auto found = read_csv(scratch.path(), {}, notes);
  if (found && !rows) std::abort();
  if (!found && found.error().message.find('\n') != std::string::npos) std::abort();  // a message is one line
  return 0;
}
