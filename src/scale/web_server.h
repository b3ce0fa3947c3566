// Fovea: the page for the customer, over HTTP.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fovea/result.h"
#include "scale/board.h"

namespace fovea::checkout {

struct WebOptions {
  std::string bind = "127.0.0.1";
  int port = 8077;                 ///< 0: any free one
  std::vector<std::string> hosts;  ///< further names by which browsers may ask for it
};

/// Serves from threads of its own until it goes:
///   GET  /             the page
///   GET  /events       server-sent events, each the state of the board
///   GET  /picture.jpg  the picture of now; ?after=N waits for one after that of "X-Version: N", 204 when none comes
///   GET  /classes      names, a JSON array
///   POST /choose       {"id":N,"label":"..."} as application/json
///   POST /empty        {} as application/json: the scale is empty now
/// Answers with errors are {"error":"..."}. Requests of other pages and under other names are refused (guard.h).
class WebServer {
 public:
  /// kUsage for an address that is none, kIo for a port that is taken.
  static Result<std::unique_ptr<WebServer>> start(const WebOptions& options, Board& board);
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;
  ~WebServer();

  /// "http://127.0.0.1:8077/"
  [[nodiscard]] const std::string& url() const;

 private:
  class Impl;
  explicit WebServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fovea::checkout
