// SPDX-License-Identifier: Apache-2.0
#include "report/report.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <regex>

#include "report/charts.h"
#include "report/html.h"
#include "report/plot.h"

namespace fovea::report {
namespace {

constexpr std::string_view kNasty = R"(<script>alert("x")</script> & 'y')";

/// An evaluation of `classes` classes with three photos each, the first of which is taken for the next class.
Input input_of(int classes) {
  Evaluation e;
  e.photos = 3 * classes;
  e.accuracy = 2.0 / 3;
  e.interval = {0.5, 0.8};
  for (int k = 0; k < classes; ++k) {
    e.classes.push_back({k == 0 ? std::string(kNasty) : fmt::format("class {}", k), 3, 2.0 / 3, 2.0 / 3, 2.0 / 3});
    e.confusion.emplace_back(static_cast<std::size_t>(classes), 0);
    e.confusion.back()[static_cast<std::size_t>(k)] = 2;
    e.confusion.back()[static_cast<std::size_t>((k + 1) % classes)] = 1;
    e.wrong.push_back({"photos/" + std::string(kNasty), e.classes.back().name, "class 1", 0.9});
  }
  e.coverage = {{0.3, 1, 2.0 / 3}, {0.8, 0.5, 0.9}};
  Input input;
  input.title = kNasty;
  input.measured_on = "validation photo";
  input.evaluation = e;
  input.calibration = Calibration{{{30, 0.9, 0.6}}, {{30, 0.7, 0.6}}, 0.3, 0.1, "note"};
  const std::vector<std::byte> jpeg(100, std::byte{7});
  for (const WrongPhoto& wrong : e.wrong)
    input.mistakes.push_back({wrong.path.string(), wrong.label, wrong.predicted, 0.9, jpeg, jpeg});
  TrainReport t;
  t.classes.resize(static_cast<std::size_t>(classes));
  t.choices = {{"fit", std::string(kNasty), std::string(kNasty)}};
  t.stages = {{"head", 2.5, 0.7}};
  t.skipped = {{std::string(kNasty), std::string(kNasty)}};
  input.training = t;
  input.hardware = {{"Processor", std::string(kNasty)}};
  input.provenance = {{"data", std::string(kNasty)}};
  return input;
}

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

/// Every element that is opened is closed, in order; attributes are quoted and hold no raw quote or bracket.
void expect_well_formed(const std::string& html) {
  static const std::regex tag(R"RE(<(/?)([a-z0-9]+)((?: [a-zA-Z-]+="[^"<>]*")*) ?(/?)>)RE");
  std::vector<std::string> open;
  const std::size_t begin = html.find("<body>");
  ASSERT_NE(begin, std::string::npos);
  std::size_t brackets = 0;
  for (std::sregex_iterator it(html.begin() + static_cast<std::ptrdiff_t>(begin), html.end(), tag), end; it != end; ++it) {
    ++brackets;
    const std::string name = (*it)[2];
    if ((*it)[4].length() > 0 || name == "img" || name == "meta") continue;
    if ((*it)[1].length() == 0) {
      open.push_back(name);
    } else if (name != "html") {
      ASSERT_FALSE(open.empty()) << name;
      ASSERT_EQ(open.back(), name);
      open.pop_back();
    }
  }
  // The page's own element was opened before the body.
  EXPECT_TRUE(open.empty());
  const auto tail = html.substr(begin);
  EXPECT_EQ(count(tail, "<"), brackets) << "a bracket that is no tag";
}

TEST(Html, EscapesWhatWouldBeRead) {
  EXPECT_EQ(escape("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  EXPECT_EQ(escape("bewölkt"), "bewölkt");
  EXPECT_EQ(escape("a\nb\x01"), "a?b?");
  EXPECT_EQ(escape("\xff!"), "?!");
}

TEST(Html, DataUriIsTheRfcsBase64) {
  const auto uri = [](std::string_view text) { return data_uri("t/x", std::as_bytes(std::span(text))); };
  // RFC 4648, section 10.
  EXPECT_EQ(uri(""), "data:t/x;base64,");
  EXPECT_EQ(uri("f"), "data:t/x;base64,Zg==");
  EXPECT_EQ(uri("fo"), "data:t/x;base64,Zm8=");
  EXPECT_EQ(uri("foo"), "data:t/x;base64,Zm9v");
  EXPECT_EQ(uri("foobar"), "data:t/x;base64,Zm9vYmFy");
}

TEST(Plot, ScalesHoldTheDataAndHaveRoundSteps) {
  for (const auto& [low, high] : {std::pair{0.0, 0.37}, {0.91, 0.97}, {1.0, 30.0}, {0.5, 0.5}, {0.0, 0.0}}) {
    const Scale scale = scale_around(low, high);
    EXPECT_LE(scale.range.low, low + 1e-9);
    EXPECT_GE(scale.range.high, high - 1e-9);
    const double digit = scale.step / std::pow(10, std::floor(std::log10(scale.step) + 1e-9));
    EXPECT_TRUE(std::abs(digit - 1) < 1e-6 || std::abs(digit - 2) < 1e-6 || std::abs(digit - 5) < 1e-6) << digit;
    EXPECT_LE((scale.range.high - scale.range.low) / scale.step, 7);
  }
}

TEST(Report, IsWellFormedWithTwoAndWithSeventyFiveClasses) {
  for (const int classes : {2, 16, 75}) {
    const std::string html = to_html(input_of(classes));
    expect_well_formed(html);
    EXPECT_EQ(count(html, "<script"), 0U);
    EXPECT_NE(html.find("&lt;script&gt;alert(&quot;x&quot;)"), std::string::npos);
    EXPECT_NE(html.find("66.7"), std::string::npos);
    EXPECT_LT(html.size(), 2U << 20);
  }
}

TEST(Report, NamesNoOtherResource) {
  const std::string html = to_html(input_of(16));
  for (const std::string_view part : {"http:", "https:", "//", "@import", "url(", "<link", "<iframe"})
    EXPECT_EQ(count(html, part), 0U) << part;
  EXPECT_EQ(count(html, "src=\""), count(html, "src=\"data:image/jpeg;base64,"));
}

TEST(Report, PicturesAreBounded) {
  Input input = input_of(2);
  input.mistakes.assign(40, input.mistakes[0]);
  for (Mistake& mistake : input.mistakes) mistake.photo.resize(kMostPictureBytes / 10);
  const std::string html = to_html(input);
  EXPECT_LT(html.size(), 2U << 20);
  EXPECT_EQ(count(html, "<img"), 2U * 9);  // the tenth would go beyond, by its heat map
}

TEST(Report, TheColoursOfAHeatMapAreBetweenTheirWords) { EXPECT_EQ(count(to_html(input_of(2)), "little<i></i>much"), 1U); }

TEST(Report, WithoutPhotosToMeasureOnSaysSo) {
  Input input = input_of(2);
  input.evaluation.reset();
  input.calibration.reset();
  input.mistakes.clear();
  const std::string html = to_html(input);
  expect_well_formed(html);
  EXPECT_NE(html.find("Nothing is known"), std::string::npos);
  EXPECT_EQ(html.find("Class by class"), std::string::npos);
  EXPECT_NE(html.find("How it was trained"), std::string::npos);
}

TEST(Report, LabelSetsAreToldByAveragePrecisionAndThreshold) {
  Input input = input_of(3);
  Evaluation& e = *input.evaluation;
  MultiLabelFigures figures;
  figures.mean_average_precision = 0.8125;
  figures.interval = {0.75, 0.875};
  figures.chance = 0.4;
  figures.micro_f1 = 0.7;
  e.multi_label = figures;
  e.confusion.clear();
  e.coverage.clear();
  for (ClassMetrics& c : e.classes) {
    c.average_precision = 0.5;
    c.threshold = 0.234;
  }
  input.mistakes.resize(1);
  input.mistakes[0].label = "";
  input.mistakes[0].about = "class 1";
  const std::string html = to_html(input);
  expect_well_formed(html);
  EXPECT_NE(html.find("81.2<small> %</small></div><p>mean average precision on"), std::string::npos);
  EXPECT_NE(html.find("75.0 %</b> and <b>87.5 %"), std::string::npos);
  EXPECT_NE(html.find("chance would reach 40.0 %"), std::string::npos);
  EXPECT_EQ(count(html, "23.4 %"), 3U);
  EXPECT_NE(html.find("shows <b>nothing</b>, answered <b>class 1</b>: wrong about <b class=\"wrong\">class 1</b>"),
            std::string::npos);
  EXPECT_EQ(html.find("Who is taken for whom"), std::string::npos);
  EXPECT_EQ(html.find("Among the top"), std::string::npos);
}

TEST(Report, RejectionIsToldWithWhatItWasMeasuredOn) {
  Input input = input_of(2);
  EXPECT_EQ(to_html(input).find("Known and unknown"), std::string::npos);
  RejectionReport r;
  r.threshold = 7.25;
  r.known_rejected = 0.04;
  r.known_photos = 200;
  r.measured_on = "validation photos";
  input.training->rejection = r;
  std::string html = to_html(input);
  expect_well_formed(html);
  EXPECT_NE(html.find("Known and unknown"), std::string::npos);
  EXPECT_NE(html.find("of 200 validation photos, which also set the threshold"), std::string::npos);
  EXPECT_NE(html.find("4.0 %"), std::string::npos);
  EXPECT_NE(html.find("7.250"), std::string::npos);
  EXPECT_EQ(html.find("Rightly called unknown"), std::string::npos);
  input.training->rejection->none_photos = 30;
  input.training->rejection->none_rejected = 0.9;
  input.training->rejection->none_area = 0.9876;
  html = to_html(input);
  expect_well_formed(html);
  EXPECT_NE(html.find("Rightly called unknown"), std::string::npos);
  EXPECT_NE(html.find("0.988"), std::string::npos);
  input.training.reset();  // the report of an evaluation alone
  input.evaluation->rejected = 0.0625;
  EXPECT_NE(to_html(input).find("of 6 validation photos"), std::string::npos);
}

TEST(Report, TheTestSplitAndTheFoldsHaveTheirOwnSections) {
  Input input = input_of(2);
  for (const char* title : {"On photos that no choice saw", "Cross-validation of the"})
    EXPECT_EQ(to_html(input).find(title), std::string::npos) << title;
  TrainReport& t = *input.training;
  t.test_accuracy = 0.955;
  t.test_photos = 120;
  t.test_interval = {0.9, 0.98};
  t.test_calibration_error = 0.021;
  t.cross_validation = CrossValidation{"last layer", {0.9, 0.96, 0.93}, 0.93, 0.03};
  const std::string html = to_html(input);
  expect_well_formed(html);
  EXPECT_NE(html.find("<div class=\"big\">95.5<small> %</small></div><p>of <b>120 test photos</b> named rightly"),
            std::string::npos);
  EXPECT_NE(html.find("95.5 % right on 120 test photos"), std::string::npos);
  EXPECT_NE(html.find("90.0 % to 98.0 %"), std::string::npos);
  EXPECT_NE(html.find("2.1 %"), std::string::npos);
  EXPECT_NE(html.find("Cross-validation of the last layer"), std::string::npos);
  EXPECT_NE(html.find("93.0 % right, give or take 3.0 % between folds"), std::string::npos);
  EXPECT_EQ(count(html, "<b>Fold "), 3U);
}

TEST(Report, CurvesComeWithEpochsOnly) {
  Input input = input_of(2);
  EXPECT_EQ(to_html(input).find("How it learned"), std::string::npos);
  for (int n = 1; n <= 3; ++n)
    input.training->epochs.push_back({"full", n, 3, 1.0 / n, 1.1 / n, 0.5 + 0.1 * n, 1e-3, 100, 0, n == 3});
  const std::string html = to_html(input);
  expect_well_formed(html);
  EXPECT_NE(html.find("How it learned"), std::string::npos);
  EXPECT_NE(html.find("epoch 3: 80.0 % right, kept"), std::string::npos);
  // One epoch is no division by zero.
  input.training->epochs.resize(1);
  EXPECT_FALSE(std::regex_search(to_html(input), std::regex("[\"> -](nan|inf)[\"< ]")));
}

TEST(Report, ConfusionsAreCountedPerShownClass) {
  Evaluation e;
  e.classes = {{"a", 4}, {"b", 2}};
  e.confusion = {{1, 3}, {0, 2}};
  const std::string html = confusion(e);
  EXPECT_NE(html.find("<b>a</b> taken for <b>b</b></span><span class=\"count\">3 of 4"), std::string::npos) << html;
  EXPECT_EQ(html.find("<b>b</b> taken for"), std::string::npos);
}

}  // namespace
}  // namespace fovea::report
