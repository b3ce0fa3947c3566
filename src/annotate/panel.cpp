// SPDX-License-Identifier: Apache-2.0
#include "annotate/panel.h"

#include <fmt/format.h>
#include <pango/pangocairo.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "annotate/colours.h"
#include "core/error.h"

namespace fovea::annotation {
namespace {

struct DestroySurface {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};
struct DestroyContext {
  void operator()(cairo_t* context) const { cairo_destroy(context); }
};
struct Unreference {
  void operator()(PangoLayout* layout) const { g_object_unref(layout); }
};
struct FreeFont {
  void operator()(PangoFontDescription* font) const { pango_font_description_free(font); }
};

/// All lengths in pixels, from the height of a line of text.
struct Measures {
  int margin, padding, line, name, bar, number, width, height;
};

Measures measures_of(int width, int height, int rows) {
  Measures m{};
  // A line is a thirtieth of the picture, but no smaller than can be read, and the panel leaves room beside it.
  m.line = std::max(14, std::min(height / 26, width / 24));
  m.margin = m.line / 2;
  m.padding = m.line / 2;
  m.name = 7 * m.line;
  m.bar = 5 * m.line;
  m.number = 3 * m.line;
  m.width = std::min(width - 2 * m.margin, m.name + m.bar + m.number + 4 * m.padding);
  m.height = std::min(height - 2 * m.margin, rows * m.line * 5 / 4 + 2 * m.padding);
  return m;
}

void round_rectangle(cairo_t* context, double x, double y, double width, double height, double radius) {
  constexpr double kQuarter = std::numbers::pi / 2;
  cairo_new_sub_path(context);
  cairo_arc(context, x + width - radius, y + radius, radius, -kQuarter, 0);
  cairo_arc(context, x + width - radius, y + height - radius, radius, 0, kQuarter);
  cairo_arc(context, x + radius, y + height - radius, radius, kQuarter, 2 * kQuarter);
  cairo_arc(context, x + radius, y + radius, radius, 2 * kQuarter, 3 * kQuarter);
  cairo_close_path(context);
}

}  // namespace

std::vector<std::size_t> shown_classes(std::span<const double> shares, std::size_t most) {
  std::vector<std::size_t> order(shares.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (order.size() <= most) return order;
  std::ranges::stable_sort(order, std::greater(), [&](std::size_t k) { return shares[k]; });
  order.resize(most);
  return order;
}

class Panel::Impl {
 public:
  Impl(int width, int height, int most) : picture_width_(width), picture_height_(height), most_(most) {}

  /// Room for so many rows.
  Result<void> make_room(int rows) {
    rows_ = rows;
    m_ = measures_of(picture_width_, picture_height_, rows);
    if (m_.width < 1 || m_.height < 1) {
      return fail(Error::Kind::kUnsupported, "a picture of {} by {} pixels: too small to write on", picture_width_,
                  picture_height_);
    }
    surface_.reset(cairo_image_surface_create(CAIRO_FORMAT_ARGB32, m_.width, m_.height));
    context_.reset(cairo_create(surface_.get()));
    if (cairo_status(context_.get()) != CAIRO_STATUS_SUCCESS) {
      return fail(Error::Kind::kLimit, "no memory to draw {} by {} pixels", m_.width, m_.height);
    }
    layout_.reset(pango_cairo_create_layout(context_.get()));
    font_.reset(pango_font_description_from_string("Sans"));
    pango_font_description_set_absolute_size(font_.get(), 0.86 * m_.line * PANGO_SCALE);
    pango_layout_set_ellipsize(layout_.get(), PANGO_ELLIPSIZE_END);
    pango_layout_set_single_paragraph_mode(layout_.get(), TRUE);
    return {};
  }

  void draw(const Bars& bars, Image& picture) {
    const std::vector<std::size_t> shown = shown_classes(bars.shares, static_cast<std::size_t>(most_));
    const int rows = static_cast<int>(shown.size()) + 1;
    if (rows != rows_ && !make_room(rows)) return;
    clear();
    double y = m_.padding;
    const auto top = static_cast<std::size_t>(std::ranges::max_element(bars.shares) - bars.shares.begin());
    write(bars.rejected ? "unknown" : bars.classes[top], m_.padding, y, m_.width - 2 * m_.padding, true);
    for (const std::size_t k : shown) {
      y += m_.line * 1.25;
      row(bars.classes[k], bars.shares[k], colour_of(k), y, bars.rejected);
    }
    cairo_surface_flush(surface_.get());
    blend(picture);
  }

 private:
  void clear() {
    cairo_t* c = context_.get();
    cairo_set_operator(c, CAIRO_OPERATOR_CLEAR);
    cairo_paint(c);
    cairo_set_operator(c, CAIRO_OPERATOR_OVER);
    round_rectangle(c, 0.5, 0.5, m_.width - 1, m_.height - 1, m_.padding);
    cairo_set_source_rgba(c, 0.05, 0.06, 0.08, 0.68);
    cairo_fill_preserve(c);
    cairo_set_source_rgba(c, 1, 1, 1, 0.35);
    cairo_set_line_width(c, 1);
    cairo_stroke(c);
  }

  void write(const std::string& text, double x, double y, double width, bool strong, PangoAlignment side = PANGO_ALIGN_LEFT) {
    pango_font_description_set_weight(font_.get(), strong ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(layout_.get(), font_.get());
    pango_layout_set_text(layout_.get(), text.c_str(), static_cast<int>(text.size()));
    pango_layout_set_width(layout_.get(), static_cast<int>(width * PANGO_SCALE));
    pango_layout_set_alignment(layout_.get(), side);
    cairo_set_source_rgba(context_.get(), 1, 1, 1, strong ? 1 : 0.92);
    cairo_move_to(context_.get(), x, y);
    pango_cairo_show_layout(context_.get(), layout_.get());
  }

  void row(const std::string& name, double share, Rgb colour, double y, bool faint) {
    cairo_t* c = context_.get();
    const double number_left = m_.width - m_.padding - m_.number;
    const double bar_left = std::min<double>(m_.padding * 2 + m_.name, number_left);
    const double bar_width = std::max(0.0, number_left - m_.padding - bar_left);
    write(name, m_.padding, y, bar_left - 2 * m_.padding, false);
    cairo_rectangle(c, bar_left, y + 0.2 * m_.line, bar_width, 0.7 * m_.line);
    cairo_set_source_rgba(c, 1, 1, 1, 0.14);
    cairo_fill(c);
    cairo_rectangle(c, bar_left, y + 0.2 * m_.line, bar_width * std::clamp(share, 0.0, 1.0), 0.7 * m_.line);
    cairo_set_source_rgba(c, colour.r / 255.0, colour.g / 255.0, colour.b / 255.0, faint ? 0.45 : 1);
    cairo_fill(c);
    write(fmt::format("{:.0f} %", 100 * share), number_left, y, m_.number, false, PANGO_ALIGN_RIGHT);
  }

  /// Premultiplied, in the machine's byte order: B, G, R, A in memory where the least significant byte comes first.
  void blend(Image& picture) const {
    const unsigned char* data = cairo_image_surface_get_data(surface_.get());
    const int stride = cairo_image_surface_get_stride(surface_.get());
    for (int y = 0; y < m_.height; ++y) {
      const auto* from = reinterpret_cast<const std::uint32_t*>(data + static_cast<std::ptrdiff_t>(y) * stride);
      std::uint8_t* to = picture.row(y + m_.margin) + static_cast<std::ptrdiff_t>(3) * m_.margin;
      for (int x = 0; x < m_.width; ++x, to += 3) {
        const std::uint32_t pixel = from[x];
        const std::uint32_t rest = 255 - (pixel >> 24);
        to[0] = static_cast<std::uint8_t>(((pixel >> 16) & 255) + (to[0] * rest + 127) / 255);
        to[1] = static_cast<std::uint8_t>(((pixel >> 8) & 255) + (to[1] * rest + 127) / 255);
        to[2] = static_cast<std::uint8_t>((pixel & 255) + (to[2] * rest + 127) / 255);
      }
    }
  }

  int picture_width_;
  int picture_height_;
  int most_;
  int rows_ = 0;
  Measures m_{};
  std::unique_ptr<cairo_surface_t, DestroySurface> surface_;
  std::unique_ptr<cairo_t, DestroyContext> context_;
  std::unique_ptr<PangoLayout, Unreference> layout_;
  std::unique_ptr<PangoFontDescription, FreeFont> font_;
};

Panel::Panel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Panel::Panel(Panel&&) noexcept = default;
Panel& Panel::operator=(Panel&&) noexcept = default;
Panel::~Panel() = default;

Result<Panel> Panel::create(int width, int height, int most) {
  auto impl = std::make_unique<Impl>(width, height, most);
  FOVEA_TRY(impl->make_room(most + 1));
  return Panel(std::move(impl));
}

void Panel::draw(const Bars& bars, Image& picture) { impl_->draw(bars, picture); }

}  // namespace fovea::annotation
