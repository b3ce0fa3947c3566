// Fovea: what every computation needs to know of its surroundings, passed as an argument.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "fovea/named_folders.h"

namespace fovea {

class Tuning;

enum class Severity : std::uint8_t { kDebug, kInfo, kWarning };

/// Where the library's remarks go: the program decides whether and how to show them. May be empty.
using LogSink = std::function<void(Severity, std::string_view)>;

/// Settings and services shared by everything that one job runs. Copied freely.
struct Context {
  /// Threads of one computation; at least 1.
  int threads = 1;
  /// The same bits for any number of threads (always: the same bits for the same number of threads).
  bool deterministic = false;
  LogSink log;
  /// Choices between kernels that give the same bits; null: fixed ones. See runtime/machine_tuning.h.
  std::shared_ptr<Tuning> tuning;
  /// Set by a signal handler or another thread to ask for a clean stop; may be null.
  const std::atomic<bool>* stop = nullptr;

  /// Where the photos lie that are read: once one of these is lost a stop is requested too. Null: nobody looks.
  std::shared_ptr<NamedFolders> folders;

  [[nodiscard]] bool folders_lost() const { return folders != nullptr && folders->lost(); }
  [[nodiscard]] bool stop_requested() const {
    return (stop != nullptr && stop->load(std::memory_order_relaxed)) || folders_lost();
  }
  /// Everyone who reads photos says of each whether it could be read.
  void tell_folders(const std::filesystem::path& photo, bool read) const {
    if (folders != nullptr) folders->tell(photo, read);
  }
  /// What to say where `error` has ended a run: of one that was stopped because a folder is lost, that, and `and_now` as of
  /// NamedFolders::stopped.
  [[nodiscard]] Error why_ended(const Error& error, std::string_view and_now) const;
  void say(Severity severity, std::string_view text) const {
    if (log) log(severity, text);
  }
};

/// Processors that this process may use: affinity and control-group quota included.
[[nodiscard]] int available_processors();

}  // namespace fovea
