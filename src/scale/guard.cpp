// SPDX-License-Identifier: Apache-2.0
#include "scale/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include "data/text.h"

namespace fovea::checkout {
namespace {

/// "localhost" of "LocalHost:8077", "::1" of "[::1]:8077"; empty for what is neither.
std::string name_in(std::string_view host) {
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    return end == std::string_view::npos ? "" : lower_case(host.substr(1, end - 1));
  }
  return lower_case(host.substr(0, host.find(':')));
}

bool is_numeric(const std::string& name) {
  in6_addr address{};
  return ::inet_pton(AF_INET, name.c_str(), &address) == 1 || ::inet_pton(AF_INET6, name.c_str(), &address) == 1;
}

}  // namespace

bool Guard::allows_host(std::string_view host) const {
  const std::string name = name_in(host);
  if (name.empty()) return false;
  if (name == "localhost" || name == "127.0.0.1" || name == "::1" || name == lower_case(bind)) return true;
  if ((bind == "0.0.0.0" || bind == "::") && is_numeric(name)) return true;
  return std::ranges::any_of(hosts, [&](const std::string& known) { return lower_case(known) == name; });
}

bool same_origin(std::string_view origin, std::string_view host) {
  if (origin.empty()) return true;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme) && lower_case(origin.substr(scheme.size())) == lower_case(host)) return true;
  }
  return false;
}

}  // namespace fovea::checkout
