// SPDX-License-Identifier: Apache-2.0
#include "watch/mqtt.h"

#include <mosquitto.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/error.h"
#include "watch/home_assistant.h"

namespace fovea::watching {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr int kKeepAlive = 60;
constexpr int kAtLeastOnce = 1;
constexpr auto kLongestPause = 60s;

struct Destroy {
  void operator()(mosquitto* client) const { mosquitto_destroy(client); }
};

class MqttSink final : public Sink {
 public:
  MqttSink(MqttOptions options, std::chrono::milliseconds patience) : options_(std::move(options)), patience_(patience) {}

  Result<void> start() {
    mosquitto_lib_init();  // counted by the library
    client_.reset(mosquitto_new(nullptr, true, this));
    if (!client_) return fail(Error::Kind::kIo, "MQTT: cannot make a client: {}", errno_text(errno));
    mosquitto_threaded_set(client_.get(), true);
    mosquitto_connect_callback_set(client_.get(),
                                   [](mosquitto*, void* self, int code) { static_cast<MqttSink*>(self)->on_connect(code); });
    mosquitto_publish_callback_set(client_.get(),
                                   [](mosquitto*, void* self, int id) { static_cast<MqttSink*>(self)->on_publish(id); });
    FOVEA_TRY(checked(mosquitto_will_set(client_.get(), status_topic(options_).c_str(), 7, "offline", kAtLeastOnce, true)));
    if (!options_.user.empty()) {
      FOVEA_TRY(checked(mosquitto_username_pw_set(client_.get(), options_.user.c_str(), options_.password.c_str())));
    }
    if (!options_.certificates.empty()) {
      FOVEA_TRY(checked(mosquitto_tls_set(client_.get(), options_.certificates.c_str(), nullptr, nullptr, nullptr, nullptr)));
    }
    thread_ = std::thread([this] { work(); });
    return {};
  }

  ~MqttSink() override {
    if (thread_.joinable()) {
      {
        const std::lock_guard lock(mutex_);
        end_ = SteadyClock::now() + patience_;
      }
      changed_.notify_all();
      thread_.join();
    }
    client_.reset();
    mosquitto_lib_cleanup();
  }

  void tell(const WatchRecord& record) override {
    const std::lock_guard lock(mutex_);
    if (newest_ && !taken_) ++not_sent_;
    newest_ = state_message(options_, record);
    taken_ = false;
    if (connected_) publish_newest();
  }

  std::int64_t not_sent() const override {
    const std::lock_guard lock(mutex_);
    return not_sent_;
  }

  std::string news() override {
    const std::lock_guard lock(mutex_);
    return std::exchange(news_, {});
  }

 private:
  Result<void> checked(int code) const {
    if (code == MOSQ_ERR_SUCCESS) return {};
    return fail(Error::Kind::kUsage, "MQTT {}:{}: {}", options_.host, options_.port, mosquitto_strerror(code));
  }

  /// The number by which on_publish knows the message again; none if it could not go out.
  std::optional<int> publish(const Message& message) {
    int id = 0;
    const int code = mosquitto_publish(client_.get(), &id, message.topic.c_str(), static_cast<int>(message.payload.size()),
                                       message.payload.data(), kAtLeastOnce, true);
    if (code != MOSQ_ERR_SUCCESS) return std::nullopt;
    return id;
  }
  void publish_newest() { newest_id_ = publish(*newest_); }

  void on_connect(int code) {
    const std::lock_guard lock(mutex_);
    if (code != 0) {
      say(fmt::format("refused: {}", mosquitto_connack_string(code)));
      return;
    }
    say("connected");
    connected_ = true;
    publish({status_topic(options_), "online"});
    for (const Message& message : discovery_messages(options_)) publish(message);
    if (newest_) publish_newest();
  }

  void on_publish(int id) {
    const std::lock_guard lock(mutex_);
    if (newest_id_ == id) taken_ = true;
  }

  /// News only when they are new.
  void say(const std::string& text) {
    if (text == last_said_) return;
    last_said_ = text;
    news_ += fmt::format("{}MQTT {}:{}: {}", news_.empty() ? "" : "; ", options_.host, options_.port, text);
  }

  /// Whether to stop now: asked to, and nothing left to send or no more patience.
  bool finished() {
    const std::lock_guard lock(mutex_);
    return end_ && (!newest_ || taken_ || SteadyClock::now() >= *end_);
  }

  void work() {
    std::chrono::milliseconds pause = 1s;
    while (!finished()) {
      int code = mosquitto_connect_async(client_.get(), options_.host.c_str(), options_.port, kKeepAlive);
      bool was_connected = false;
      while (code == MOSQ_ERR_SUCCESS && !finished()) {
        code = mosquitto_loop(client_.get(), 100, 1);
        const std::lock_guard lock(mutex_);
        was_connected = connected_;
      }
      if (code == MOSQ_ERR_SUCCESS) break;
      if (was_connected) pause = 1s;
      std::unique_lock lock(mutex_);
      connected_ = false;
      say(fmt::format("{}; tried again until it works", code == MOSQ_ERR_ERRNO ? errno_text(errno) : mosquitto_strerror(code)));
      const auto until = SteadyClock::now() + pause;
      changed_.wait_until(lock, until, [&] { return end_.has_value(); });
      // Once asked to end, the last tries come quickly.
      if (end_) changed_.wait_for(lock, 100ms, [] { return false; });
      pause = std::min<std::chrono::milliseconds>(2 * pause, kLongestPause);
    }
    say_goodbye();
  }

  void say_goodbye() {
    {
      const std::lock_guard lock(mutex_);
      if (!connected_) return;
      publish({status_topic(options_), "offline"});
    }
    // A few turns let it out; then the broker is told that this is no accident.
    for (int turn = 0; turn < 5; ++turn) static_cast<void>(mosquitto_loop(client_.get(), 20, 1));
    mosquitto_disconnect(client_.get());
    static_cast<void>(mosquitto_loop(client_.get(), 20, 1));
  }

  const MqttOptions options_;
  const std::chrono::milliseconds patience_;
  std::unique_ptr<mosquitto, Destroy> client_;
  std::thread thread_;

  // The library calls back with none of its own locks held, and may do so from within publish: hence recursive.
  mutable std::recursive_mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<SteadyClock::time_point> end_;
  bool connected_ = false;
  std::optional<Message> newest_;
  std::optional<int> newest_id_;
  bool taken_ = false;  ///< newest_, by the broker
  std::int64_t not_sent_ = 0;
  std::string last_said_;
  std::string news_;
};

}  // namespace

Result<std::unique_ptr<Sink>> mqtt_sink(const MqttOptions& options, std::chrono::milliseconds patience) {
  FOVEA_TRY(check_names(options));
  auto sink = std::make_unique<MqttSink>(options, patience);
  FOVEA_TRY(sink->start());
  return std::unique_ptr<Sink>(std::move(sink));
}

}  // namespace fovea::watching
