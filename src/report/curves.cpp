// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "fovea/figures.h"
#include "report/charts.h"
#include "report/html.h"
#include "report/plot.h"

namespace fovea::report {
namespace {

Scale epochs_scale(int last) {
  Scale scale = scale_around(1, std::max(last, 2), 6);
  scale.step = std::max(scale.step, 1.0);
  scale.range = {1, 1 + scale.step * std::ceil((std::max(last, 2) - 1) / scale.step)};
  return scale;
}

std::string loss_plot(std::span<const EpochReport> epochs, bool measured) {
  std::vector<Point> train;
  std::vector<Point> val;
  double high = 0;
  for (const EpochReport& e : epochs) {
    train.push_back({static_cast<double>(e.epoch), e.train_loss});
    val.push_back({static_cast<double>(e.epoch), e.val_loss});
    high = std::max({high, e.train_loss, measured ? e.val_loss : 0});
  }
  Plot plot("Loss by epoch", epochs_scale(epochs.back().epoch), scale_around(0, high), false);
  plot.line(train, "two");
  for (const EpochReport& e : epochs) {
    plot.dot({static_cast<double>(e.epoch), e.train_loss}, 2.5, "two",
             fmt::format("epoch {}: training loss {:.3f}", e.epoch, e.train_loss));
  }
  if (measured) {
    plot.line(val, "one");
    for (const EpochReport& e : epochs) {
      plot.dot({static_cast<double>(e.epoch), e.val_loss}, 2.5, "one",
               fmt::format("epoch {}: validation loss {:.3f}", e.epoch, e.val_loss));
    }
  }
  return plot.finish("epoch", "loss") + R"(<p class="key"><b class="two"></b>training <b class="one"></b>validation</p>)";
}

std::string accuracy_plot(std::span<const EpochReport> epochs) {
  std::vector<Point> points;
  double low = 1;
  double high = 0;
  for (const EpochReport& e : epochs) {
    points.push_back({static_cast<double>(e.epoch), e.val_accuracy});
    low = std::min(low, e.val_accuracy);
    high = std::max(high, e.val_accuracy);
  }
  Scale scale = scale_around(low, high);
  scale.range.high = std::min(scale.range.high, 1.0);
  Plot plot("Accuracy by epoch", epochs_scale(epochs.back().epoch), scale, true);
  plot.line(points, "one");
  const auto best = std::ranges::find_if(epochs.rbegin(), epochs.rend(), [](const EpochReport& e) { return e.best; });
  for (const EpochReport& e : epochs) {
    const bool kept = best != epochs.rend() && e.epoch == best->epoch;
    plot.dot({static_cast<double>(e.epoch), e.val_accuracy}, kept ? 5 : 2.5, "one",
             fmt::format("epoch {}: {} {}{}", e.epoch, percent(e.val_accuracy), measure_text(e.measure), kept ? ", kept" : ""));
  }
  return plot.finish("epoch", fmt::format("{} on validation photos", measure_text(epochs.front().measure))) +
         R"(<p class="key"><b class="one"></b>large dot: the best, which was kept if it beat what came before</p>)";
}

}  // namespace

std::string_view measure_text(Measure measure) { return measure == Measure::kAccuracy ? "right" : "mean average precision"; }

std::string curves(std::span<const EpochReport> epochs) {
  std::string html;
  for (auto begin = epochs.begin(); begin != epochs.end();) {
    const auto end = std::find_if(begin, epochs.end(), [&](const EpochReport& e) { return e.stage != begin->stage; });
    const std::span stage(begin, end);
    const bool measured = std::ranges::any_of(stage, [](const EpochReport& e) { return e.val_loss > 0; });
    html += "<div class=\"pair\">" + figure("Loss, " + begin->stage, loss_plot(stage, measured));
    if (measured) html += figure("Accuracy, " + begin->stage, accuracy_plot(stage));
    html += "</div>\n";
    begin = end;
  }
  return html;
}

}  // namespace fovea::report
