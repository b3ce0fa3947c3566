// SPDX-License-Identifier: Apache-2.0
#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "image/byte_order.h"
#include "image/loader.h"

namespace fovea {
namespace {

using namespace std::string_view_literals;

bool sniff_gif(Bytes bytes) { return has_at(bytes, 0, "GIF87a"sv) || has_at(bytes, 0, "GIF89a"sv); }

// giflib with memory as its source, stopped at the pixels of the first frame.
class FirstFrame {
 public:
  explicit FirstFrame(Bytes bytes) : bytes_(bytes) {}
  FirstFrame(const FirstFrame&) = delete;
  FirstFrame& operator=(const FirstFrame&) = delete;
  ~FirstFrame() {
    if (gif_ != nullptr) DGifCloseFile(gif_, nullptr);
  }

  Result<void> open() {
    int code = 0;
    gif_ = DGifOpen(this, read, &code);
    if (gif_ == nullptr) return fail(Error::Kind::kFormat, "{}", GifErrorString(code));
    GifRecordType record = UNDEFINED_RECORD_TYPE;
    while (DGifGetRecordType(gif_, &record) == GIF_OK) {
      if (record == IMAGE_DESC_RECORD_TYPE) return DGifGetImageDesc(gif_) == GIF_OK ? Result<void>() : failure();
      if (record == TERMINATE_RECORD_TYPE) return fail(Error::Kind::kFormat, "no picture inside");
      if (record == EXTENSION_RECORD_TYPE) FOVEA_TRY(read_extension());
    }
    return failure();
  }

  [[nodiscard]] const GifImageDesc& place() const { return gif_->Image; }
  // The screen, or more if the frame reaches outside of it.
  [[nodiscard]] int width() const { return std::max(gif_->SWidth, place().Left + place().Width); }
  [[nodiscard]] int height() const { return std::max(gif_->SHeight, place().Top + place().Height); }

  // Colours as RGB and alpha of every index; indices outside of the table are black.
  Result<std::array<std::array<std::uint8_t, 4>, 256>> colours() const {
    const ColorMapObject* map = place().ColorMap != nullptr ? place().ColorMap : gif_->SColorMap;
    if (map == nullptr) return fail(Error::Kind::kFormat, "no colour table");
    std::array<std::array<std::uint8_t, 4>, 256> table{};
    for (std::size_t i = 0; i < table.size(); ++i) {
      table[i][3] = static_cast<int>(i) == transparent_ ? 0 : 255;
      if (static_cast<int>(i) >= map->ColorCount) continue;
      const GifColorType& colour = map->Colors[i];
      table[i] = {colour.Red, colour.Green, colour.Blue, table[i][3]};
    }
    return table;
  }

  [[nodiscard]] bool has_transparency() const { return transparent_ != NO_TRANSPARENT_COLOR; }

  Result<void> read_line(std::vector<GifPixelType>& line) {
    return DGifGetLine(gif_, line.data(), static_cast<int>(line.size())) == GIF_OK ? Result<void>() : failure();
  }

 private:
  static int read(GifFileType* gif, GifByteType* out, int count) {
    auto& self = *static_cast<FirstFrame*>(gif->UserData);
    const std::size_t got = std::min(static_cast<std::size_t>(std::max(count, 0)), self.bytes_.size());
    std::memcpy(out, self.bytes_.data(), got);
    self.bytes_ = self.bytes_.subspan(got);
    return static_cast<int>(got);
  }

  Result<void> read_extension() {
    int kind = 0;
    GifByteType* block = nullptr;
    if (DGifGetExtension(gif_, &kind, &block) != GIF_OK) return failure();
    while (block != nullptr) {
      GraphicsControlBlock control{};
      if (kind == GRAPHICS_EXT_FUNC_CODE && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK) {
        transparent_ = control.TransparentColor;
      }
      if (DGifGetExtensionNext(gif_, &block) != GIF_OK) return failure();
    }
    return {};
  }

  [[nodiscard]] Error failure() const {
    if (bytes_.empty()) return fail(Error::Kind::kFormat, "truncated: the data end too early");
    const char* text = GifErrorString(gif_->Error);
    return fail(Error::Kind::kFormat, "{}", text != nullptr ? text : "damaged");
  }

  Bytes bytes_;
  GifFileType* gif_ = nullptr;
  int transparent_ = NO_TRANSPARENT_COLOR;
};

Result<Header> read_gif_header(Bytes bytes) {
  FirstFrame frame(bytes);
  FOVEA_TRY(frame.open());
  return Header{frame.width(), frame.height(), 1};
}

// Where each row that comes out of the decoder belongs: GIF's four interleaved passes, or from top to bottom.
std::vector<int> row_order(int height, bool interlaced) {
  constexpr std::array<std::array<int, 2>, 4> kPasses{{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};
  std::vector<int> rows;
  rows.reserve(static_cast<std::size_t>(height));
  if (!interlaced) {
    for (int y = 0; y < height; ++y) rows.push_back(y);
    return rows;
  }
  for (const auto& [first, step] : kPasses) {
    for (int y = first; y < height; y += step) rows.push_back(y);
  }
  return rows;
}

// What the frame leaves free of the screen is transparent, as browsers show it.
Result<Raster> decode_gif(Bytes bytes, const Header& header, int /*shorter_side_wanted*/) {
  FirstFrame frame(bytes);
  FOVEA_TRY(frame.open());
  const GifImageDesc& place = frame.place();
  if (place.Left < 0 || place.Top < 0 || place.Width <= 0 || place.Height <= 0) {
    return fail(Error::Kind::kFormat, "first frame of {}x{} pixels at {}, {}", place.Width, place.Height, place.Left, place.Top);
  }
  FOVEA_ASSIGN(const auto colours, frame.colours());
  const bool covers = place.Width == header.width && place.Height == header.height;
  Raster raster(header.width, header.height, frame.has_transparency() || !covers ? 4 : 3, 8);
  const auto channels = static_cast<std::size_t>(raster.channels);
  std::vector<GifPixelType> line(static_cast<std::size_t>(place.Width));
  for (const int y : row_order(place.Height, place.Interlace)) {
    FOVEA_TRY(frame.read_line(line));
    std::uint8_t* out = raster.row(place.Top + y) + static_cast<std::size_t>(place.Left) * channels;
    for (const GifPixelType index : line) out = std::copy_n(colours[index].begin(), channels, out);
  }
  return raster;
}

}  // namespace

const Loader kGifLoader{ImageFormat::kGif, "GIF", sniff_gif, read_gif_header, decode_gif};

}  // namespace fovea
