// SPDX-License-Identifier: Apache-2.0
#include "scale/web_server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>
#include <thread>

#include "core/error.h"
#include "scale/guard.h"
#include "scale/page.h"

namespace fovea::checkout {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;

constexpr std::size_t kThreads = 24;
// Each watches in a thread of its own.
constexpr int kMostWatching = 8;
constexpr std::size_t kMostBody = 4096;
constexpr milliseconds kPictureWithin{1000};
constexpr milliseconds kStateWithin{5000};

void give_error(httplib::Response& response, int status, std::string_view text) {
  response.status = status;
  response.set_content(Json{{"error", text}}.dump(-1, ' ', false, Json::error_handler_t::replace), "application/json");
}

void give(httplib::Response& response, const Result<void>& result) {
  if (result) return response.set_content(R"({"ok":true})", "application/json");
  const Error& error = result.error();
  const int status = error.kind == Error::Kind::kNotFound ? 404 : error.kind == Error::Kind::kUsage ? 400 : 503;
  give_error(response, status, error.message);
}

/// {"id":N,"label":"..."}; kUsage for anything else.
Result<Request> choice_in(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  Request request;
  if (!json.is_object() || !json.contains("id") || !json["id"].is_number_integer() || !json.contains("label") ||
      !json["label"].is_string()) {
    return fail(Error::Kind::kUsage, R"(expected {{"id":1,"label":"..."}})");
  }
  request.id = json["id"].get<std::int64_t>();
  request.label = json["label"].get<std::string>();
  return request;
}

std::uint64_t version_in(const httplib::Request& request) {
  const std::string text = request.get_param_value("after");
  std::uint64_t version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

}  // namespace

class WebServer::Impl {
 public:
  Impl(const WebOptions& options, Board& board) : guard_{options.bind, options.hosts}, board_(board) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    board_.close();
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

  Result<void> start(const WebOptions& options) {
    settle();
    route();
    const int port = options.port == 0                                  ? server_.bind_to_any_port(options.bind)
                     : server_.bind_to_port(options.bind, options.port) ? options.port
                                                                        : -1;
    if (port < 0) {
      return fail(Error::Kind::kIo,
                  "cannot listen on {} port {}: it is taken, or no address of this computer; try another --port", options.bind,
                  options.port);
    }
    const bool wide = options.bind.find(':') != std::string::npos;
    url_ = fmt::format("http://{}{}{}:{}/", wide ? "[" : "", options.bind, wide ? "]" : "", port);
    thread_ = std::thread([this] {
      server_.listen_after_bind();
      ended_ = true;
    });
    // Stopping it has no effect before it runs.
    while (!server_.is_running() && !ended_) std::this_thread::sleep_for(milliseconds(1));
    return {};
  }

  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  void settle() {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server_.set_payload_max_length(kMostBody);
    server_.set_read_timeout(std::chrono::seconds(5));
    server_.set_write_timeout(std::chrono::seconds(5));
    server_.set_keep_alive_timeout(2);
    // Two programs on one port would each get half of the requests.
    server_.set_socket_options([](socket_t socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    });
    server_.set_default_headers(
        {{"X-Content-Type-Options", "nosniff"}, {"Referrer-Policy", "no-referrer"}, {"Cache-Control", "no-store"}});
    server_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      using Next = httplib::Server::HandlerResponse;
      const std::string host = request.get_header_value("Host");
      if (!guard_.allows_host(host)) {
        give_error(response, 421, "this computer is not known by that name; add it with --host");
        return Next::Handled;
      }
      const bool changes = request.method != "GET" && request.method != "HEAD";
      const bool json = request.get_header_value("Content-Type").starts_with("application/json");
      if (!same_origin(request.get_header_value("Origin"), host) || (changes && !json)) {
        give_error(response, 403, "only this program's own page may do that");
        return Next::Handled;
      }
      return Next::Unhandled;
    });
  }

  void route() {
    server_.Get("/", [](const httplib::Request&, httplib::Response& response) {
      response.set_header("Content-Security-Policy", page_policy());
      response.set_content(page_html(), "text/html; charset=utf-8");
    });
    server_.Get("/classes", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(board_.classes(), "application/json");
    });
    server_.Get("/picture.jpg", [this](const httplib::Request& request, httplib::Response& response) {
      const std::uint64_t after = version_in(request);
      const auto shown = board_.jpeg(after, kPictureWithin);
      if (shown.version <= after || !shown.content) {
        response.status = 204;
        return;
      }
      response.set_header("X-Version", std::to_string(shown.version));
      response.set_content(reinterpret_cast<const char*>(shown.content->data()), shown.content->size(), "image/jpeg");
    });
    server_.Get("/events", [this](const httplib::Request&, httplib::Response& response) { watch(response); });
    server_.Post("/choose", [this](const httplib::Request& request, httplib::Response& response) {
      const Result<Request> choice = choice_in(request.body);
      give(response, choice ? board_.ask(*choice) : Result<void>(choice.error()));
    });
    server_.Post("/empty", [this](const httplib::Request&, httplib::Response& response) {
      give(response, board_.ask({Request::Kind::kEmptyNow, 0, {}}));
    });
  }

  void watch(httplib::Response& response) {
    if (watching_.fetch_add(1) >= kMostWatching) {
      --watching_;
      return give_error(response, 503, "too many pages are open");
    }
    response.set_chunked_content_provider(
        "text/event-stream",
        [this, version = std::uint64_t{0}](std::size_t, httplib::DataSink& sink) mutable {
          const auto shown = board_.state(version, kStateWithin);
          if (board_.closed()) return false;
          // A comment now and then shows whether somebody is still there.
          const std::string event = shown.version > version ? fmt::format("data: {}\n\n", shown.content) : ":\n\n";
          version = shown.version;
          return sink.write(event.data(), event.size());
        },
        [this](bool) { --watching_; });
  }

  Guard guard_;
  Board& board_;
  httplib::Server server_;
  std::string url_;
  std::atomic<int> watching_{0};
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

WebServer::WebServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebServer::~WebServer() = default;

Result<std::unique_ptr<WebServer>> WebServer::start(const WebOptions& options, Board& board) {
  auto impl = std::make_unique<Impl>(options, board);
  FOVEA_TRY(impl->start(options));
  return std::unique_ptr<WebServer>(new WebServer(std::move(impl)));
}

const std::string& WebServer::url() const { return impl_->url(); }

}  // namespace fovea::checkout
