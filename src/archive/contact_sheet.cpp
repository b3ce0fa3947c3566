// SPDX-License-Identifier: Apache-2.0
#include "report/contact_sheet.h"

#include <algorithm>

#include "core/context.h"
#include "core/error.h"
#include "core/file.h"
#include "data/workers.h"
#include "fovea/archive.h"
#include "fovea/figures.h"
#include "image/decode.h"
#include "image/encode.h"
#include "image/preprocess.h"
#include "report/html.h"

namespace fovea {
namespace {

using report::escape;

constexpr int kSide = 160;

Result<std::vector<std::byte>> thumbnail(const std::filesystem::path& path) {
  FOVEA_ASSIGN(const Image photo, load_image(path, {.shorter_side_needed = kSide}));
  Preprocess square;
  square.height = square.width = kSide;
  square.fit = Fit::kCrop;
  square.crop_fraction = 1;
  return encode_jpeg(fit_image(photo, square), 75);
}

std::string caption(const FoundPhoto& photo) {
  std::string text = photo.taken.empty() ? "" : fmt::format("<b>{}</b><br>", escape(photo.taken.substr(0, 10)));
  if (photo.probability) text += percent(*photo.probability) + " ";
  for (const std::string& word : photo.keywords)
    text += fmt::format("{}{}", &word == &photo.keywords.front() ? "" : ", ", escape(word));
  return text;
}

}  // namespace

Result<void> write_contact_sheet(const std::filesystem::path& page, std::string_view title, const std::vector<FoundPhoto>& photos,
                                 int threads) {
  FOVEA_TRY(report::check_page_name(page));
  std::vector<std::string> figures(photos.size());
  Context context;
  context.threads = threads > 0 ? threads : available_processors();
  for_each_photo(context, static_cast<std::int64_t>(photos.size()), [&](std::int64_t i) {
    const FoundPhoto& photo = photos[static_cast<std::size_t>(i)];
    const auto picture = thumbnail(photo.path);
    figures[static_cast<std::size_t>(i)] =
        picture ? report::thumbnail(*picture, photo.path.string(), photo.path.filename().string(), caption(photo))
                : fmt::format("<figure><figcaption>{}<br><span class=\"alarm\">{}</span></figcaption></figure>\n",
                              escape(photo.path.string()), escape(picture.error().message));
  });
  std::string body = fmt::format("<h1>{}</h1>\n<p>{}. Point at a picture for the file's path.</p>\n<div class=\"row\">\n",
                                 escape(title), counted(static_cast<std::int64_t>(photos.size()), "photo"));
  for (const std::string& figure : figures) body += figure;
  return write_file_atomically(page, report::sheet_page(title, body + "</div>\n"));
}

}  // namespace fovea
