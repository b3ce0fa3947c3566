// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <memory>
#include <thread>
#include <utility>

#include "scale/weigher.h"
#include "scale/weight_text.h"
#include "support/paths.h"

namespace fovea::checkout {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

struct LineCase {
  const char* line;
  std::optional<double> grams;
  std::optional<bool> stable = std::nullopt;
};

TEST(WeightText, LinesOfSerialScales) {
  const LineCase cases[] = {
      {"ST,GS,+  0.123kg", 123, true},
      {"US,NT,-   12.5 g", -12.5, false},
      {"ST,NT,+00000.2lb", 90.718474, true},
      {"S S     100.00 g", 100, true},
      {"S D       7.50 kg", 7500, false},
      {"\x02 00.250", 250},
      {"  +0.075 kg", 75},
      {"1,5", 1500},
      {"0.0", 0},
      {"16 oz", 453.59237},
      {"OL,GS,+99999.9kg", std::nullopt},
      {"S +", std::nullopt},
      {"S I", std::nullopt},
      {"ES", std::nullopt},
      {"", std::nullopt},
      {"kg", std::nullopt},
      {"+", std::nullopt},
      {"0.123 kgx", std::nullopt},
      {"1.2.3 kg", std::nullopt},
      {"99999999999999999999 kg", std::nullopt},
  };
  for (const LineCase& c : cases) {
    const auto report = parse_weight(c.line, WeightUnit::kKilogram);
    ASSERT_EQ(report.has_value(), c.grams.has_value()) << c.line;
    if (!report) continue;
    EXPECT_NEAR(report->grams, *c.grams, 1e-6) << c.line;
    EXPECT_EQ(report->stable, c.stable) << c.line;
  }
  EXPECT_NEAR(parse_weight("12", WeightUnit::kGram)->grams, 12, 1e-9);
}

std::optional<WeightReport> report_of(std::initializer_list<unsigned> values) {
  std::vector<std::byte> bytes;
  for (const unsigned value : values) bytes.push_back(static_cast<std::byte>(value));
  return parse_weight_report(bytes);
}

TEST(WeightText, ReportsOfUsbScales) {
  const auto stable = report_of({3, 4, 2, 0, 0x2C, 0x01});
  ASSERT_TRUE(stable);
  EXPECT_NEAR(stable->grams, 300, 1e-9);
  EXPECT_EQ(stable->stable, true);
  const auto ounces = report_of({3, 3, 11, 0xFF, 100, 0});  // 100 times ten to the power of minus one
  ASSERT_TRUE(ounces);
  EXPECT_NEAR(ounces->grams, 283.49523125, 1e-6);
  EXPECT_EQ(ounces->stable, false);
  EXPECT_NEAR(report_of({3, 5, 2, 0, 7, 0})->grams, -7, 1e-9);
  EXPECT_NEAR(report_of({3, 2, 2, 0, 0, 0})->grams, 0, 1e-9);
  for (const auto& bad : {std::initializer_list<unsigned>{3, 1, 2, 0, 1, 0},    // fault
                          std::initializer_list<unsigned>{3, 6, 2, 0, 1, 0},    // overload
                          std::initializer_list<unsigned>{4, 4, 2, 0, 1, 0},    // another report
                          std::initializer_list<unsigned>{3, 4, 99, 0, 1, 0},   // another unit
                          std::initializer_list<unsigned>{3, 4, 3, 127, 1, 0},  // no scale weighs that
                          std::initializer_list<unsigned>{3, 4, 2}}) {
    EXPECT_FALSE(report_of(bad));
  }
}

TEST(WeightText, WhatSaysThatThereIsNoWeight) {
  for (const char* line : {"OL,GS,+99999.9kg", "S +", "S -", "\x02 OL"}) EXPECT_TRUE(says_no_weight(line)) << line;
  for (const char* line : {"ST,GS,+  0.123kg", "S S 1.0 g", "S I", "ES", "", "-", "S"})
    EXPECT_FALSE(says_no_weight(line)) << line;
  for (unsigned status = 0; status < 12; ++status) {
    const std::array<std::byte, 6> report{std::byte{3}, static_cast<std::byte>(status), std::byte{2}, {}, {}, {}};
    EXPECT_EQ(says_no_weight(report), status == 1 || (status >= 6 && status <= 8)) << status;
  }
}

/// A terminal of which a scale plays the other end.
class Pty {
 public:
  Pty() {
    std::array<char, 128> name{};
    EXPECT_EQ(::openpty(&master_, &slave_, name.data(), nullptr, nullptr), 0);
    path_ = name.data();
  }
  Pty(const Pty&) = delete;
  Pty& operator=(const Pty&) = delete;
  ~Pty() { unplug(); }
  void say(std::string_view text) const {
    EXPECT_EQ(::write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  [[nodiscard]] std::string hear() const {
    std::array<char, 64> block{};
    const ssize_t got = ::read(master_, block.data(), block.size());
    return {block.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  }
  void unplug() {
    for (int* end : {&master_, &slave_}) {
      if (*end >= 0) ::close(std::exchange(*end, -1));
    }
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  int master_ = -1;
  int slave_ = -1;
  std::string path_;
};

/// The first reading that fits within ten seconds; whatever else is told on the way is added to `news`.
template <class Fits>
std::optional<Weight> wait_for(Weigher& weigher, Weigher::News& news, const Fits& fits) {
  for (int i = 0; i < 1000; ++i) {
    Weigher::News more = weigher.take();
    news.lost.insert(news.lost.end(), more.lost.begin(), more.lost.end());
    news.found = news.found || more.found;
    if (more.reading && fits(more.reading->weight)) return more.reading->weight;
    std::this_thread::sleep_for(10ms);
  }
  return std::nullopt;
}

TEST(Weigher, ASerialScaleThatSpeaksUnasked) {
  const Pty pty;
  WeightOptions options;
  options.device = "serial:" + pty.path();
  Weigher weigher(options);
  Weigher::News news;
  // Said again until it is heard: the line is emptied when it is opened.
  std::thread speaker([&] {
    for (int i = 0; i < 50; ++i) {
      pty.say("ST,GS,+  0.250kg\r\n");
      std::this_thread::sleep_for(10ms);
    }
  });
  const auto weight = wait_for(weigher, news, [](const Weight& w) { return w.grams == 250; });
  speaker.join();
  ASSERT_TRUE(weight);
  EXPECT_TRUE(weight->stable);
  EXPECT_TRUE(news.lost.empty());
}

TEST(Weigher, AScaleThatIsAsked) {
  const Pty pty;
  WeightOptions options;
  options.device = "serial:" + pty.path();
  options.ask = "SI";
  Weigher weigher(options);
  Weigher::News news;
  std::string heard;
  while (heard.find("SI\r\n") == std::string::npos) heard += pty.hear();
  pty.say("S D    12.0 g\r\n");
  const auto weight = wait_for(weigher, news, [](const Weight& w) { return w.grams == 12; });
  ASSERT_TRUE(weight);
  EXPECT_FALSE(weight->stable);
}

TEST(Weigher, WhoDoesNotSayThatItRestsDoesSoAfterAWhile) {
  const Pty pty;
  WeightOptions options;
  options.device = "serial:" + pty.path();
  options.ask = "W";
  Weigher weigher(options);
  Weigher::News news;
  std::atomic<bool> end{false};
  std::thread scale([&] {
    while (!end) {
      static_cast<void>(pty.hear());
      pty.say("\x02 00.080\r");
    }
  });
  const auto first = wait_for(weigher, news, [](const Weight&) { return true; });
  const auto stable = wait_for(weigher, news, [](const Weight& w) { return w.stable; });
  end = true;
  scale.join();
  ASSERT_TRUE(first && stable);
  EXPECT_FALSE(first->stable);
  EXPECT_NEAR(stable->grams, 80, 1e-9);
}

TEST(Weigher, AUsbScale) {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "hidraw7").string();
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int end = ::open(path.c_str(), O_RDWR);
  WeightOptions options;
  options.device = path;
  Weigher weigher(options);
  Weigher::News news;
  const std::array<unsigned char, 6> report = {3, 4, 2, 0, 90, 0};
  EXPECT_EQ(::write(end, report.data(), report.size()), 6);
  EXPECT_TRUE(wait_for(weigher, news, [](const Weight& w) { return w.grams == 90 && w.stable; }));
  const std::array<unsigned char, 6> overload = {3, 6, 2, 0, 0xFF, 0xFF};
  EXPECT_EQ(::write(end, overload.data(), overload.size()), 6);
  Weigher::News last;
  for (int i = 0; i < 1000 && !last.no_weight; ++i) {
    std::this_thread::sleep_for(10ms);
    last = weigher.take();
  }
  EXPECT_TRUE(last.no_weight);
  EXPECT_FALSE(last.reading);
  EXPECT_EQ(::write(end, report.data(), report.size()), 6);
  EXPECT_TRUE(wait_for(weigher, news, [](const Weight& w) { return w.grams == 90; }));
  EXPECT_TRUE(news.lost.empty());
  ::close(end);
}

TEST(Weigher, AScaleThatIsUnpluggedIsSaidAndFoundAgain) {
  const test::TemporaryFolder folder;
  const fs::path path = folder / "scale";
  auto pty = std::make_unique<Pty>();
  fs::create_symlink(pty->path(), path);
  WeightOptions options;
  options.device = "serial:" + path.string();
  options.ask = "W";
  Weigher weigher(options);
  Weigher::News news;
  const auto answer = [&](double grams) {
    static_cast<void>(pty->hear());
    pty->say(grams == 80 ? "0.080\r" : "0.120\r");
    return wait_for(weigher, news, [&](const Weight& w) { return w.grams == grams; }).has_value();
  };
  EXPECT_TRUE(answer(80));
  pty->unplug();
  for (int i = 0; i < 500 && news.lost.empty(); ++i) {
    news = weigher.take();
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(news.lost.size(), 1U);
  fs::remove(path);
  pty = std::make_unique<Pty>();
  fs::create_symlink(pty->path(), path);
  EXPECT_TRUE(answer(120));
  EXPECT_TRUE(news.found);
}

TEST(Weigher, AScaleThatIsNotThereIsSaidOnceAndFoundLater) {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "scale").string();
  WeightOptions options;
  options.device = "serial:" + path;
  Weigher weigher(options);
  Weigher::News news;
  for (int i = 0; i < 500 && news.lost.empty(); ++i) {
    news = weigher.take();
    std::this_thread::sleep_for(10ms);
  }
  ASSERT_EQ(news.lost.size(), 1U);
  EXPECT_NE(news.lost[0].find("No such file"), std::string::npos) << news.lost[0];
  const Pty pty;
  fs::create_symlink(pty.path(), path);
  std::thread speaker([&] {
    for (int i = 0; i < 300; ++i) {
      pty.say("0.5 kg\r\n");
      std::this_thread::sleep_for(10ms);
    }
  });
  EXPECT_TRUE(wait_for(weigher, news, [](const Weight& w) { return w.grams == 500; }));
  speaker.join();
  EXPECT_TRUE(news.found);
}

TEST(Weigher, SettingsAreChecked) {
  WeightOptions options;
  options.device = "/dev/ttyUSB0";
  options.baud = 1234;
  EXPECT_EQ(check_weight_options(options).error().kind, Error::Kind::kUsage);
  options.baud = 2400;
  EXPECT_TRUE(check_weight_options(options).ok());
}

}  // namespace
}  // namespace fovea::checkout
