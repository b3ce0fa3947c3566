// SPDX-License-Identifier: Apache-2.0
//
// Against a real broker, which the test starts and stops.
#include "watch/mqtt.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <mosquitto.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "support/paths.h"
#include "watch/home_assistant.h"
#include "watch/pictures.h"

extern char** environ;

namespace fovea::watching {
namespace {

using namespace std::chrono_literals;
using test::TemporaryFolder;

constexpr const char* kBroker = "/usr/sbin/mosquitto";

template <class Condition>
bool eventually(const Condition& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

/// A port that nobody listens on.
int free_port() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(descriptor, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(descriptor);
  return ntohs(address.sin_port);
}

class Broker {
 public:
  explicit Broker(int port) {
    const std::string config = folder_ / "mosquitto.conf";
    std::ofstream(config) << "listener " << port << " 127.0.0.1\nallow_anonymous true\nlog_dest none\nuser root\n";
    std::string program = kBroker;
    std::string flag = "-c";
    std::string file = config;
    char* arguments[] = {program.data(), flag.data(), file.data(), nullptr};
    EXPECT_EQ(posix_spawn(&id_, kBroker, nullptr, nullptr, arguments, environ), 0);
  }
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;
  ~Broker() {
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }

 private:
  TemporaryFolder folder_;
  pid_t id_ = 0;
};

/// Hears everything.
class Listener {
 public:
  explicit Listener(int port) : client_(mosquitto_new(nullptr, true, this)) {
    mosquitto_connect_callback_set(client_, [](mosquitto* client, void*, int) { mosquitto_subscribe(client, nullptr, "#", 1); });
    mosquitto_message_callback_set(client_, [](mosquitto*, void* self, const mosquitto_message* message) {
      auto& listener = *static_cast<Listener*>(self);
      const std::lock_guard lock(listener.mutex_);
      listener.heard_[message->topic] = std::string(static_cast<const char*>(message->payload), message->payloadlen);
    });
    EXPECT_TRUE(eventually([&] { return mosquitto_connect(client_, "127.0.0.1", port, 60) == MOSQ_ERR_SUCCESS; }));
    mosquitto_loop_start(client_);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() {
    mosquitto_disconnect(client_);
    mosquitto_loop_stop(client_, true);
    mosquitto_destroy(client_);
  }
  std::string heard(const std::string& topic) {
    const std::lock_guard lock(mutex_);
    return heard_[topic];
  }

 private:
  mosquitto* client_;
  std::mutex mutex_;
  std::map<std::string, std::string> heard_;
};

MqttOptions options_for(int port) {
  MqttOptions options;
  options.host = "127.0.0.1";
  options.port = port;
  options.name = "roof";
  return options;
}

std::string class_of(const std::string& payload) {
  const auto json = nlohmann::json::parse(payload, nullptr, false);
  return json.is_object() ? json.value("class", "") : "";
}

#define FOVEA_NEEDS_BROKER() \
  if (!std::filesystem::exists(kBroker)) GTEST_SKIP() << "needs " << kBroker

TEST(Mqtt, TheBrokerHearsRecordsAndWhatHomeAssistantNeeds) {
  FOVEA_NEEDS_BROKER();
  const int port = free_port();
  const Broker broker(port);
  Listener listener(port);
  auto sink = mqtt_sink(options_for(port));
  ASSERT_TRUE(sink.ok()) << sink.error().message;
  (*sink)->tell(classified(0, "cloudy", 0.8251));
  ASSERT_TRUE(eventually([&] { return class_of(listener.heard("fovea/roof/state")) == "cloudy"; }));
  EXPECT_EQ(nlohmann::json::parse(listener.heard("fovea/roof/state"))["probability"], 82.5);
  EXPECT_EQ(listener.heard("fovea/roof/status"), "online");
  const auto config = nlohmann::json::parse(listener.heard("homeassistant/sensor/fovea_roof/class/config"));
  EXPECT_EQ(config["state_topic"], "fovea/roof/state");
  EXPECT_EQ(config["value_template"], "{{ value_json.class }}");
  EXPECT_EQ((*sink)->not_sent(), 0);
  sink->reset();
  EXPECT_TRUE(eventually([&] { return listener.heard("fovea/roof/status") == "offline"; }));
}

TEST(Mqtt, ABrokerThatComesLateHearsTheNewestAndTheOthersAreCounted) {
  FOVEA_NEEDS_BROKER();
  const int port = free_port();
  auto sink = mqtt_sink(options_for(port));
  ASSERT_TRUE(sink.ok());
  for (int i = 0; i < 4; ++i) (*sink)->tell(classified(i, i == 3 ? "clear" : "cloudy"));
  EXPECT_EQ((*sink)->not_sent(), 3);
  EXPECT_TRUE(eventually([&] { return (*sink)->news().find("tried again") != std::string::npos; }));
  const Broker broker(port);
  Listener listener(port);
  EXPECT_TRUE(eventually([&] { return class_of(listener.heard("fovea/roof/state")) == "clear"; }));
  EXPECT_EQ((*sink)->not_sent(), 3);
}

TEST(Mqtt, TheLastRecordStillGetsOut) {
  FOVEA_NEEDS_BROKER();
  const int port = free_port();
  const Broker broker(port);
  Listener listener(port);
  { mqtt_sink(options_for(port)).value()->tell(classified(0, "clear")); }  // as --once does
  EXPECT_TRUE(eventually([&] { return class_of(listener.heard("fovea/roof/state")) == "clear"; }));
}

TEST(Mqtt, WithoutABrokerItEndsInTime) {
  const auto start = std::chrono::steady_clock::now();
  { mqtt_sink(options_for(free_port()), 200ms).value()->tell(classified(0)); }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
}

TEST(HomeAssistant, NightFaultsAndUnknownAreStatesOfTheirOwn) {
  const MqttOptions options = options_for(1);
  WatchRecord record = fault(0, "unplugged");
  EXPECT_EQ(class_of(state_message(options, record).payload), "no picture");
  EXPECT_EQ(nlohmann::json::parse(state_message(options, record).payload)["problem"], "ON");
  record.state = SlotState::kNight;
  EXPECT_EQ(class_of(state_message(options, record).payload), "night");
  record = classified(0, "clear");
  record.rejected = true;
  EXPECT_EQ(class_of(state_message(options, record).payload), "unknown");
}

TEST(HomeAssistant, NamesThatWouldBreakTopicsAreRefused) {
  MqttOptions options = options_for(1);
  EXPECT_TRUE(check_names(options).ok());
  options.name = "roof/#";
  EXPECT_EQ(check_names(options).error().kind, Error::Kind::kUsage);
  options.name = "";
  EXPECT_FALSE(check_names(options).ok());
}

}  // namespace
}  // namespace fovea::watching
