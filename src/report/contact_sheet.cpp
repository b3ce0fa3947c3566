// SPDX-License-Identifier: Apache-2.0
#include "report/contact_sheet.h"

#include "core/error.h"
#include "core/output_file.h"
#include "report/html.h"

namespace fovea::report {
namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --ground: #fff; --text: #1d2125; --quiet: #5f6a75; --card: #f3f5f7; --alarm: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #15181b; --text: #e4e8ec; --quiet: #98a3ae; --card: #22272b; --alarm: #ff8a80; }
}
body { margin: 0 auto; max-width: 78rem; padding: 1rem; background: var(--ground); color: var(--text);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p, li { max-width: 60rem; } .quiet, figcaption { color: var(--quiet); }
.row { display: flex; flex-wrap: wrap; gap: .6rem; margin: .6rem 0; }
figure { margin: 0; width: 8.2rem; padding: .5rem; background: var(--card); border-radius: .4rem; }
figure img { display: block; width: 100%; border-radius: .2rem; }
figcaption { font-size: .78rem; overflow-wrap: anywhere; margin-top: .3rem; }
figcaption b { color: var(--text); } figcaption .alarm { color: var(--alarm); }
.group { border-left: 3px solid var(--alarm); padding-left: .6rem; }
)";

}  // namespace

Result<void> check_page_name(const std::filesystem::path& path) {
  const auto extension = path.extension();
  if (extension != ".html" && extension != ".htm" && extension != ".HTML" && extension != ".HTM") {
    return fail(Error::Kind::kUsage, "{}: is to be a page; give a name that ends in .html", path.string());
  }
  FOVEA_TRY(check_text_output(path));
  FOVEA_ASSIGN(const AtomicFile probe, AtomicFile::create(path));  // never put in place
  return {};
}

std::string sheet_page(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><title>{}</title><style>{}</style></head><body>\n{}</body></html>\n",
      escape(title), kStyle, body);
}

std::string thumbnail(Bytes jpeg, std::string_view path, std::string_view name, std::string_view caption) {
  return fmt::format("<figure><img loading=\"lazy\" src=\"{}\" title=\"{}\" alt=\"{}\"><figcaption>{}</figcaption></figure>\n",
                     data_uri("image/jpeg", jpeg), escape(path), escape(name), caption);
}

}  // namespace fovea::report
