// SPDX-License-Identifier: Apache-2.0
#include "annotate/panel.h"

#include <fmt/format.h>
#include <pango/pangocairo.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <optional>
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
  m.margin = m.line / 4 * 2;
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
    context_.reset();
    layer_ = Layer(m_.width, m_.height);
    surface_.reset(cairo_image_surface_create_for_data(reinterpret_cast<unsigned char*>(layer_.pixels.data()),
                                                       CAIRO_FORMAT_ARGB32, m_.width, m_.height, 4 * m_.width));
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

  bool draw(const Bars& bars) {
    Content content = content_of(bars);
    if (content == drawn_) return false;
    const int rows = static_cast<int>(content.rows.size()) + 1;
    if (rows != rows_ && !make_room(rows)) return false;
    clear();
    double y = m_.padding;
    write(bars.rejected ? "unknown" : bars.classes[content.top], m_.padding, y, m_.width - 2 * m_.padding, true);
    for (const Row& row : content.rows) {
      y += m_.line * 1.25;
      draw(row, bars.classes[row.number], y, bars.rejected);
    }
    cairo_surface_flush(surface_.get());
    drawn_ = std::move(content);
    return true;
  }

  [[nodiscard]] const Layer& layer() const { return layer_; }
  [[nodiscard]] int margin() const { return m_.margin; }

 private:
  /// As it is drawn: whole pixels and percents, so that most frames look like the one before.
  struct Row {
    std::size_t number = 0;  ///< of the class
    int length = 0;          ///< of the bar, in pixels
    int percent = 0;
    bool operator==(const Row&) const = default;
  };
  struct Content {
    std::size_t top = 0;
    bool rejected = false;
    std::vector<Row> rows;
    bool operator==(const Content&) const = default;
  };

  [[nodiscard]] Content content_of(const Bars& bars) const {
    Content content{.top = static_cast<std::size_t>(std::ranges::max_element(bars.shares) - bars.shares.begin()),
                    .rejected = bars.rejected,
                    .rows = {}};
    for (const std::size_t k : shown_classes(bars.shares, static_cast<std::size_t>(most_))) {
      const double share = std::clamp(bars.shares[k], 0.0, 1.0);
      content.rows.push_back({k, static_cast<int>(std::lround(share * bar_width())), static_cast<int>(std::lround(100 * share))});
    }
    return content;
  }

  [[nodiscard]] int number_left() const { return m_.width - m_.padding - m_.number; }
  [[nodiscard]] int bar_left() const { return std::min(m_.padding * 2 + m_.name, number_left()); }
  [[nodiscard]] int bar_width() const { return std::max(0, number_left() - m_.padding - bar_left()); }

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

  void draw(const Row& row, const std::string& name, double y, bool faint) {
    cairo_t* c = context_.get();
    const Rgb colour = colour_of(row.number);
    write(name, m_.padding, y, bar_left() - 2 * m_.padding, false);
    cairo_rectangle(c, bar_left(), y + 0.2 * m_.line, bar_width(), 0.7 * m_.line);
    cairo_set_source_rgba(c, 1, 1, 1, 0.14);
    cairo_fill(c);
    cairo_rectangle(c, bar_left(), y + 0.2 * m_.line, row.length, 0.7 * m_.line);
    cairo_set_source_rgba(c, colour.r / 255.0, colour.g / 255.0, colour.b / 255.0, faint ? 0.45 : 1);
    cairo_fill(c);
    write(fmt::format("{} %", row.percent), number_left(), y, m_.number, false, PANGO_ALIGN_RIGHT);
  }

  int picture_width_;
  int picture_height_;
  int most_;
  int rows_ = 0;
  Measures m_{};
  Layer layer_;
  std::optional<Content> drawn_;
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

bool Panel::draw(const Bars& bars) { return impl_->draw(bars); }
const Layer& Panel::layer() const { return impl_->layer(); }
int Panel::margin() const { return impl_->margin(); }

}  // namespace fovea::annotation
