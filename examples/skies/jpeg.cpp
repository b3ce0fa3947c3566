// SPDX-License-Identifier: Apache-2.0
#include "jpeg.h"

#include <jpeglib.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "core/error.h"
#include "core/file.h"

namespace skies {

fovea::Result<void> write_jpeg(const std::filesystem::path& path, const fovea::Image& image, int quality) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &bytes, &size);
  jpeg.image_width = static_cast<JDIMENSION>(image.width);
  jpeg.image_height = static_cast<JDIMENSION>(image.height);
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, quality, TRUE);
  jpeg_start_compress(&jpeg, TRUE);
  for (int y = 0; y < image.height; ++y) {
    auto* row = const_cast<JSAMPLE*>(image.row(y));
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  auto written = fovea::write_file_atomically(path, {reinterpret_cast<const char*>(bytes), size});
  std::free(bytes);
  return written;
}

}  // namespace skies
