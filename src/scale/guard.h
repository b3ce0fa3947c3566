// Fovea: who may talk to the page. A program on this computer is not safe from the web merely because it listens on 127.0.0.1:
// any page in the same browser can send requests there, and a name that its owner lets point at 127.0.0.1 makes them look like
// its own. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fovea::checkout {

struct Guard {
  std::string bind = "127.0.0.1";
  std::vector<std::string> hosts;  ///< further names for this computer

  /// Whether a request with this Host header was meant for us: a name for this computer, with any port. Where every interface is
  /// listened to ("0.0.0.0", "::"), any numeric address, since only names can be made to point elsewhere.
  [[nodiscard]] bool allows_host(std::string_view host) const;
};

/// Whether the page that sent a request (its Origin header, empty where there is none) is the one that `host` serves.
[[nodiscard]] bool same_origin(std::string_view origin, std::string_view host);

}  // namespace fovea::checkout
