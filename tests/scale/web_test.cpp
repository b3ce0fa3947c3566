// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <httplib.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/error.h"
#include "image/decode.h"
#include "scale/guard.h"
#include "scale/page.h"
#include "scale/web_server.h"

namespace fovea::checkout {
namespace {

using namespace std::chrono_literals;

TEST(Guard, KnowsThisComputersNamesOnly) {
  const Guard local{};
  for (const char* host : {"127.0.0.1:8077", "127.0.0.1", "localhost:8077", "LOCALHOST", "[::1]:8077"}) {
    EXPECT_TRUE(local.allows_host(host)) << host;
  }
  for (const char* host :
       {"", "evil.example", "evil.example:8077", "127.0.0.1.evil.example", "192.168.1.7", "[::1", "localhost.evil.example:80"}) {
    EXPECT_FALSE(local.allows_host(host)) << host;
  }
  const Guard wide{"0.0.0.0", {"till.shop"}};
  EXPECT_TRUE(wide.allows_host("192.168.1.7:8077"));
  EXPECT_TRUE(wide.allows_host("Till.shop:8077"));
  EXPECT_TRUE(wide.allows_host("[fe80::1]:8077"));
  EXPECT_FALSE(wide.allows_host("evil.example"));
}

TEST(Guard, PagesOfOthersAreOthers) {
  EXPECT_TRUE(same_origin("", "127.0.0.1:8077"));
  EXPECT_TRUE(same_origin("http://127.0.0.1:8077", "127.0.0.1:8077"));
  for (const char* origin :
       {"http://evil.example", "null", "http://127.0.0.1:9000", "http://127.0.0.1:8077.evil.example", "file://"}) {
    EXPECT_FALSE(same_origin(origin, "127.0.0.1:8077")) << origin;
  }
}

class WebTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = WebServer::start({.port = 0}, board);
    ASSERT_TRUE(started.ok()) << started.error().message;
    server = std::move(*started);
    client = std::make_unique<httplib::Client>(server->url().substr(0, server->url().size() - 1));
    client->set_read_timeout(10s);
    loop = std::thread([this] {
      while (!end) {
        for (Board::Asked& asked : board.take_requests()) {
          requests.push_back(asked.request);
          asked.answer.set_value(asked.request.id == 404 ? Result<void>(fail(Error::Kind::kNotFound, "gone")) : Result<void>());
        }
        std::this_thread::sleep_for(1ms);
      }
    });
  }
  void TearDown() override {
    end = true;
    loop.join();
    client.reset();
    const auto start = std::chrono::steady_clock::now();
    server.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - start, 8s);
  }
  int choose(const std::string& body, const httplib::Headers& headers = {}, const char* type = "application/json") {
    const auto reply = client->Post("/choose", headers, body, type);
    return reply ? reply->status : -1;
  }

  Board board;
  std::unique_ptr<WebServer> server;
  std::unique_ptr<httplib::Client> client;
  std::thread loop;
  std::atomic<bool> end{false};
  std::vector<Request> requests;
};

TEST_F(WebTest, ServesAPageThatNeedsNothingElse) {
  const auto page = client->Get("/");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  EXPECT_EQ(page->body.find("http://"), std::string::npos);
  EXPECT_EQ(page->body.find("https://"), std::string::npos);
  EXPECT_NE(page->get_header_value("Content-Security-Policy").find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(client->Get("/absent")->status, 404);
}

TEST_F(WebTest, AChoiceReachesTheLoop) {
  EXPECT_EQ(choose(R"({"id":3,"label":"Äpfel"})"), 200);
  EXPECT_EQ(choose(R"({"id":404,"label":"Lime"})"), 404);
  EXPECT_EQ(client->Post("/empty", "{}", "application/json")->status, 200);
  end = true;
  loop.join();
  loop = std::thread([] {});
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[0].id, 3);
  EXPECT_EQ(requests[0].label, "Äpfel");
  EXPECT_EQ(requests[2].kind, Request::Kind::kEmptyNow);
}

TEST_F(WebTest, RequestsOfOthersAreRefused) {
  const std::string choice = R"({"id":3,"label":"Lime"})";
  EXPECT_EQ(choose(choice, {{"Origin", "http://evil.example"}}), 403);
  EXPECT_EQ(choose(choice, {}, "text/plain"), 403);  // what a form of another page can send
  EXPECT_EQ(choose(choice, {{"Host", "evil.example"}}), 421);
  httplib::Headers rebound = {{"Host", "evil.example:80"}};
  EXPECT_EQ(client->Get("/picture.jpg", rebound)->status, 421);
  EXPECT_EQ(client->Get("/events", rebound)->status, 421);
  EXPECT_TRUE(requests.empty());
}

TEST_F(WebTest, NonsenseIsRefused) {
  for (const char* body : {"", "[]", "{}", R"({"id":"3","label":"x"})", R"({"id":3})", R"({"id":3,"label":7})",
                           R"({"id":1e99,"label":"x"})", "{\"id\":3,"}) {
    EXPECT_EQ(choose(body), 400) << body;
  }
  EXPECT_EQ(choose(std::string(100000, 'x')), 413);
  EXPECT_TRUE(requests.empty());
}

TEST_F(WebTest, PicturesComeWhenThereIsANewOne) {
  EXPECT_EQ(client->Get("/picture.jpg")->status, 204);
  auto image = std::make_shared<Image>(1600, 1200);
  std::ranges::fill(image->pixels, std::uint8_t{90});
  board.show(std::shared_ptr<const Image>(image));
  const auto picture = client->Get("/picture.jpg?after=0");
  ASSERT_EQ(picture->status, 200);
  EXPECT_EQ(picture->get_header_value("X-Version"), "1");
  const auto decoded = decode_image(std::as_bytes(std::span(picture->body)));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->width, 640);
  EXPECT_EQ(decoded->height, 480);
  EXPECT_EQ(client->Get("/picture.jpg?after=1")->status, 204);
  EXPECT_EQ(client->Get("/picture.jpg?after=nonsense")->status, 200);
}

TEST_F(WebTest, EventsTellEveryState) {
  board.show(std::string(R"({"state":"nothing"})"));
  std::string heard;
  int said = 0;
  const auto reply = client->Get("/events", [&](const char* data, std::size_t length) {
    heard.append(data, length);
    if (heard.find("nothing") != std::string::npos && said++ == 0) board.show(std::string(R"({"state":"sure"})"));
    return heard.find("sure") == std::string::npos;
  });
  EXPECT_NE(heard.find("data: {\"state\":\"nothing\"}\n\n"), std::string::npos) << heard;
  EXPECT_NE(heard.find("data: {\"state\":\"sure\"}\n\n"), std::string::npos) << heard;
}

TEST_F(WebTest, APortIsServedOnce) {
  Board other;
  const int port = std::stoi(server->url().substr(server->url().rfind(':') + 1));
  const auto second = WebServer::start({.port = port}, other);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, Error::Kind::kIo);
  EXPECT_NE(second.error().message.find("--port"), std::string::npos);
  EXPECT_FALSE(WebServer::start({.bind = "no such address", .port = 0}, other).ok());
}

}  // namespace
}  // namespace fovea::checkout
