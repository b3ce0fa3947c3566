// SPDX-License-Identifier: Apache-2.0
#include "signals.h"

#include <csignal>

namespace fovea::cli {
namespace {

std::atomic<bool> stop_requested{false};
std::atomic<bool> reload_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may not take a lock");

void on_signal(int /*number*/) { stop_requested.store(true, std::memory_order_relaxed); }

void on_hangup(int /*number*/) { reload_requested.store(true, std::memory_order_relaxed); }

}  // namespace

const std::atomic<bool>& stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  // Back to the default after the first, so that an impatient second Ctrl-C works.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A terminal that is closed: what is finished is kept. Whoever ignores that (nohup) goes on.
  struct sigaction hangup {};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
  return stop_requested;
}

std::atomic<bool>& reload_on_signal() {
  struct sigaction action {};
  action.sa_handler = on_hangup;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGHUP, &action, nullptr);
  return reload_requested;
}

}  // namespace fovea::cli
