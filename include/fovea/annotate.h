// Fovea: a video with what a model sees written on it, frame by frame.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "fovea/classifier.h"
#include "fovea/result.h"

namespace fovea {

struct AnnotateOptions {
  std::filesystem::path model;
  /// A file, a URL (rtsp://, http://, ...), a camera's device, numbered pictures ("frame-%04d.jpg"), or "-": standard input.
  std::string input;
  /// The annotated video: a file, or "-": standard output. Empty: none.
  std::string output;
  std::string container;           ///< "mp4" (H.264) or "webm" (VP9); empty: by the name of the output, else "mp4"
  std::filesystem::path csv;       ///< a line a frame, raw and smoothed probabilities; empty: none
  std::filesystem::path jsonl;     ///< the same, an object a line; empty: none
  std::filesystem::path timeline;  ///< the whole clip as one strip, PNG; empty: none

  int every = 1;                 ///< classify each so many-th frame; those between show what the last one did
  double smooth_s = 0.5;         ///< time constant of what is drawn, in seconds; 0: raw. Records keep both
  int bars = 5;                  ///< classes that are drawn, at most
  bool sound = true;             ///< copied from a file; streams are written without
  double frames_per_second = 0;  ///< of numbered pictures; 0: 25
  ClassifierOptions classifier;
  const std::atomic<bool>* stop = nullptr;  ///< when it becomes true: finish the output with the frames so far
};

struct AnnotateProgress {
  std::int64_t frames = 0;
  double seconds = 0.0;                 ///< of the video, so far
  std::optional<double> total_seconds;  ///< of the whole video, where it says
  double elapsed_s = 0.0;
};

struct AnnotateReport {
  std::int64_t frames = 0;
  std::int64_t classified = 0;
  double seconds = 0.0;    ///< of the video
  std::string device;      ///< what computed, and why: "cpu (2 processors; ...)"
  double elapsed_s = 0.0;  ///< that it took
  bool stopped = false;    ///< on request, before the end
  std::string video_codec;
  std::vector<std::string> notes;  ///< what a person should know: no sound, the input broke off, ...
};

/// kUsage for options that make no sense, the errors of Classifier::open, of reading (kNotFound, kFormat, kUnsupported, kIo) and
/// of writing. An input that breaks off after some frames is a note: what came is kept. `on_progress` is called after each frame.
Result<AnnotateReport> annotate(const AnnotateOptions& options,
                                const std::function<void(const AnnotateProgress&)>& on_progress = {});

}  // namespace fovea
