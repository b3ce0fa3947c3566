// SPDX-License-Identifier: Apache-2.0
#include "video/frame_reader.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <future>

#include "image/encode.h"
#include "support/paths.h"
#include "video/video_writer.h"

namespace fovea::video {
namespace {

using namespace std::chrono_literals;
using test::TemporaryFolder;

Image grey(std::uint8_t level, int width = 160, int height = 96) {
  Image image(width, height);
  std::fill(image.pixels.begin(), image.pixels.end(), level);
  return image;
}

void append(const std::filesystem::path& path, const std::vector<std::byte>& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::app)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// JPEGs one after the other are a video in Motion JPEG.
class MotionJpeg : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 5; ++i) append(path, encode_jpeg(grey(static_cast<std::uint8_t>(40 * i + 20)), 95));
  }
  TemporaryFolder folder;
  std::filesystem::path path = folder / "sky.mjpeg";
};

TEST_F(MotionJpeg, FramesComeInOrderAsTheyWere) {
  auto reader = FrameReader::open(path.string());
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  EXPECT_EQ(reader->info().width, 160);
  EXPECT_EQ(reader->info().height, 96);
  EXPECT_EQ(reader->info().codec, "mjpeg");
  double last = -1;
  for (int i = 0; i < 5; ++i) {
    const auto frame = reader->next();
    ASSERT_TRUE(frame.ok() && *frame) << i;
    EXPECT_EQ((*frame)->image.width, 160);
    // A flat picture at quality 95: quantisation of the DC term by 2, over 8, and two roundings.
    EXPECT_NEAR((*frame)->image.pixels[0], 40 * i + 20, 2) << i;
    EXPECT_GT((*frame)->seconds, last);
    last = (*frame)->seconds;
  }
  EXPECT_FALSE(reader->next().value());
  EXPECT_EQ(reader->damaged(), 0);
}

TEST_F(MotionJpeg, SkippedFramesAreNotGiven) {
  auto reader = FrameReader::open(path.string());
  ASSERT_TRUE(reader.ok());
  EXPECT_TRUE(reader->skip().value());
  EXPECT_TRUE(reader->skip().value());
  const auto frame = reader->next();
  ASSERT_TRUE(frame.ok() && *frame);
  EXPECT_NEAR((*frame)->image.pixels[0], 100, 2);
  EXPECT_GT((*frame)->seconds, 0);
}

TEST(FrameReader, WhatIsNoVideoIsAnErrorThatNamesIt) {
  const TemporaryFolder folder;
  EXPECT_EQ(FrameReader::open((folder / "absent.mp4").string()).error().kind, Error::Kind::kNotFound);
  std::ofstream(folder / "text.mp4") << std::string(5000, 'x');
  const auto text = FrameReader::open((folder / "text.mp4").string());
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().kind, Error::Kind::kFormat);
  EXPECT_NE(text.error().message.find("text.mp4"), std::string::npos);
  EXPECT_FALSE(FrameReader::open("/dev/video-that-is-not-there").ok());
  EXPECT_EQ(FrameReader::open("nosuch://camera").error().kind, Error::Kind::kUnsupported);
}

TEST_F(MotionJpeg, APictureLargerThanTheLimitIsRefused) {
  ReaderOptions options;
  options.max_pixels = 1000;
  EXPECT_EQ(FrameReader::open(path.string(), options).error().kind, Error::Kind::kLimit);
}

/// Listens, and answers nothing or one text.
class Server {
 public:
  explicit Server(std::string answer) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_, 4), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    if (answer.empty()) return;
    answering_ = std::async(std::launch::async, [this, answer = std::move(answer)] {
      const int client = ::accept(socket_, nullptr, nullptr);
      char request[4096];
      static_cast<void>(::recv(client, request, sizeof request, 0));
      static_cast<void>(::send(client, answer.data(), answer.size(), MSG_NOSIGNAL));
      ::close(client);
    });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    if (answering_.valid()) answering_.wait();
    ::close(socket_);
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/now.jpg"; }

 private:
  int socket_;
  int port_ = 0;
  std::future<void> answering_;
};

TEST(FrameReader, ACameraThatSaysNothingIsGivenUpInTime) {
  const Server server("");
  ReaderOptions options;
  options.limit = 300ms;
  const auto start = std::chrono::steady_clock::now();
  const auto reader = FrameReader::open(server.url(), options);
  ASSERT_FALSE(reader.ok());
  EXPECT_NE(reader.error().message.find("300 ms"), std::string::npos) << reader.error().message;
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
}

TEST(FrameReader, HalfAPictureIsNone) {
  const std::vector<std::byte> jpeg = encode_jpeg(grey(200), 95);
  const std::string body(reinterpret_cast<const char*>(jpeg.data()), jpeg.size() * 3 / 4);
  const Server server("HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nConnection: close\r\n\r\n" + body);
  auto reader = FrameReader::open(server.url());
  if (!reader) return;  // so early is right too
  const auto frame = reader->next();
  ASSERT_FALSE(frame.ok());
  EXPECT_EQ(frame.error().kind, Error::Kind::kFormat) << frame.error().message;
}

TEST_F(MotionJpeg, APictureThatBreaksOffIsLeftOut) {
  const std::vector<std::byte> jpeg = encode_jpeg(grey(250), 95);
  append(path, {jpeg.begin(), jpeg.begin() + static_cast<std::ptrdiff_t>(jpeg.size() * 3 / 4)});
  append(path, encode_jpeg(grey(10), 95));
  auto reader = FrameReader::open(path.string());
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  std::vector<int> levels;
  while (true) {
    const auto frame = reader->next();
    ASSERT_TRUE(frame.ok()) << frame.error().message;
    if (!*frame) break;
    levels.push_back((*frame)->image.pixels[0]);
  }
  ASSERT_EQ(levels.size(), 6U);
  EXPECT_NEAR(levels.back(), 10, 2);
  EXPECT_EQ(reader->damaged(), 1);
}

TEST(FrameReader, AMissingNumberIsNamed) {
  const TemporaryFolder folder;
  for (int number = 7; number < 20; ++number) append(folder / fmt::format("{:04}.jpg", number), encode_jpeg(grey(100), 95));
  for (const int missing : {16, 9}) {
    std::filesystem::remove(folder / fmt::format("{:04}.jpg", missing));
    auto reader = FrameReader::open((folder / "%04d.jpg").string());
    ASSERT_TRUE(reader.ok()) << reader.error().message;
    for (int frame = 7; frame < missing; ++frame) EXPECT_TRUE(reader->skip().value()) << frame;
    const auto end = reader->skip();
    ASSERT_FALSE(end.ok()) << missing;
    EXPECT_THAT(end.error().message, testing::HasSubstr(fmt::format("{:04}.jpg is not there", missing)));
  }
}

/// Bytes within a compressed video: the decoder goes on, and says which frames it had to make up.
TEST(FrameReader, DamageInsideIsCounted) {
  const TemporaryFolder folder;
  const std::string path = (folder / "clip.mp4").string();
  {
    auto writer = VideoWriter::create(path, {.width = 160, .height = 96, .frames_per_second = 10});
    ASSERT_TRUE(writer.ok()) << writer.error().message;
    for (int i = 0; i < 30; ++i) {
      Image image(160, 96);
      for (std::size_t at = 0; at < image.pixels.size(); ++at)
        image.pixels[at] = static_cast<std::uint8_t>(at * at * (i + 7) >> 7U);
      ASSERT_TRUE(writer->stage(image).ok());
      ASSERT_TRUE(writer->write(0.1 * i).ok());
    }
    ASSERT_TRUE(writer->finish(true).ok());
  }
  const auto damaged = [&] {
    auto reader = FrameReader::open(path);
    EXPECT_TRUE(reader.ok());
    while (reader && reader->skip().value()) continue;
    return reader ? reader->damaged() : -1;
  };
  EXPECT_EQ(damaged(), 0);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path));
  for (std::streamoff at = size / 3; at < size / 2; at += 97) file.seekp(at).put('\x55');
  file.close();
  EXPECT_GT(damaged(), 0);
}

TEST(FrameReader, APictureOverHttpIsAFrame) {
  const std::vector<std::byte> jpeg = encode_jpeg(grey(200), 95);
  const std::string body(reinterpret_cast<const char*>(jpeg.data()), jpeg.size());
  const Server server("HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: " + std::to_string(body.size()) +
                      "\r\nConnection: close\r\n\r\n" + body);
  auto reader = FrameReader::open(server.url());
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  const auto frame = reader->next();
  ASSERT_TRUE(frame.ok() && *frame);
  EXPECT_NEAR((*frame)->image.pixels[0], 200, 2);
}

}  // namespace
}  // namespace fovea::video
