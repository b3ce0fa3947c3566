// SPDX-License-Identifier: Apache-2.0
#include "fovea/annotate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <thread>
#include <utility>

#include "annotate/panel.h"
#include "annotate/records.h"
#include "annotate/smoothing.h"
#include "annotate/timeline.h"
#include "annotate/yuv_layer.h"
#include "core/bounded_queue.h"
#include "core/context.h"
#include "core/error.h"
#include "core/file.h"
#include "core/output_file.h"
#include "fovea/figures.h"
#include "image/encode.h"
#include "image/signed_picture.h"
#include "video/frame_reader.h"
#include "video/video_writer.h"

namespace fovea::annotation {
namespace {

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point begin) { return std::chrono::duration<double>(SteadyClock::now() - begin).count(); }

/// A frame, and what is to be written on it.
struct Job {
  video::Frame frame;
  std::vector<double> shares;
  bool rejected = false;
};

/// Draws on frames and encodes them, on a thread of its own, while the next ones are decoded and classified.
class Printer {
 public:
  Printer(video::VideoWriter writer, Panel panel, Timeline timeline, std::vector<std::string> classes)
      : writer_(std::move(writer)), panel_(std::move(panel)), timeline_(std::move(timeline)), classes_(std::move(classes)) {
    thread_ = std::jthread([this] { run(); });
  }
  ~Printer() { queue_.close(); }

  /// False after a failure, which finish() tells.
  bool push(Job job) { return queue_.push(std::move(job)); }

  Result<void> finish(bool all_sound) {
    queue_.close();
    if (thread_.joinable()) thread_.join();
    FOVEA_TRY(outcome_);
    return writer_.finish(all_sound);
  }
  [[nodiscard]] const video::VideoWriter& writer() const { return writer_; }

 private:
  void run() {
    while (auto job = queue_.pop()) {
      if (outcome_ = print(*job); !outcome_) return queue_.leave();
    }
  }

  Result<void> print(const Job& job) {
    FOVEA_ASSIGN(const YuvCanvas canvas, job.frame.planes ? writer_.stage(*job.frame.planes) : writer_.stage(job.frame.image));
    draw_strip(job, canvas);
    draw_panel(job, canvas);
    return writer_.write(job.frame.seconds);
  }

  void draw_strip(const Job& job, const YuvCanvas& canvas) {
    timeline_.add(job.frame.seconds, job.shares);
    const int height = std::max(6, canvas.height / 80 * 2);
    if (strip_.height != height) strip_ = Layer(canvas.width, height);
    timeline_.draw(strip_);
    yuv_strip_.set(strip_, canvas);
    yuv_strip_.lay_over(0, canvas.height - height, canvas);
  }

  void draw_panel(const Job& job, const YuvCanvas& canvas) {
    if (panel_.draw({classes_, job.shares, job.rejected})) yuv_panel_.set(panel_.layer(), canvas);
    yuv_panel_.lay_over(panel_.margin(), panel_.margin(), canvas);
  }

  video::VideoWriter writer_;
  Panel panel_;
  Timeline timeline_;
  Layer strip_;
  YuvLayer yuv_strip_;
  YuvLayer yuv_panel_;
  std::vector<std::string> classes_;
  Result<void> outcome_;
  BoundedQueue<Job> queue_{3};
  std::jthread thread_;  // last: it uses all of the above
};

class Run {
 public:
  Run(const AnnotateOptions& options, const std::function<void(const AnnotateProgress&)>& on_progress)
      : options_(options), on_progress_(on_progress), smoother_(options.smooth_s) {}

  Result<AnnotateReport> operator()() {
    FOVEA_TRY(check());
    FOVEA_TRY(open());
    FOVEA_TRY(go_through());
    FOVEA_TRY(finish());
    return std::move(report_);
  }

 private:
  Result<void> check() const {
    if (options_.every < 1) return fail(Error::Kind::kUsage, "every {}: expected 1 (each frame) or more", options_.every);
    if (options_.bars < 1) return fail(Error::Kind::kUsage, "bars {}: expected 1 or more", options_.bars);
    if (!(options_.smooth_s >= 0)) return fail(Error::Kind::kUsage, "smoothing over {} s: expected 0 or more", options_.smooth_s);
    if (options_.output.empty() && options_.csv.empty() && options_.jsonl.empty() && options_.timeline.empty()) {
      return fail(Error::Kind::kUsage, "nothing to write: expected an output (-o), --csv, --jsonl or --timeline");
    }
    std::error_code none;
    if (std::filesystem::is_directory(options_.input, none)) {
      return fail(Error::Kind::kUsage, "{}: is a folder; numbered pictures in it are given as {}/name-%04d.jpg", options_.input,
                  options_.input);
    }
    if (!options_.output.empty() && std::filesystem::equivalent(options_.input, options_.output, none)) {
      return fail(Error::Kind::kUsage, "{}: is the input; expected another name for the output", options_.output);
    }
    return check_outputs();
  }

  /// Nothing of the person's is written over by a slip of the hand.
  [[nodiscard]] Result<void> check_outputs() const {
    for (const std::filesystem::path& text : {options_.csv, options_.jsonl}) FOVEA_TRY(check_text_output(text));
    if (!options_.timeline.empty()) FOVEA_TRY(check_picture_output(options_.timeline));
    const std::array<std::filesystem::path, 6> all{options_.model, options_.input, options_.output == "-" ? "" : options_.output,
                                                   options_.csv,   options_.jsonl, options_.timeline};
    return check_distinct(all);
  }

  Result<void> open() {
    ClassifierOptions compute = options_.classifier;
    compute.tune = true;
    // The encoder needs the other half, and threads that wait for each other on busy processors waste both.
    if (compute.threads == 0 && !options_.output.empty()) compute.threads = std::max(1, available_processors() / 2);
    FOVEA_ASSIGN(Classifier classifier, Classifier::open(options_.model, compute));
    classifier_.emplace(std::move(classifier));
    report_.device = classifier_->device();
    FOVEA_ASSIGN(
        video::FrameReader reader,
        video::FrameReader::open(options_.input == "-" ? "pipe:0" : options_.input,
                                 {.fast_colours = true, .planes = true, .frames_per_second = options_.frames_per_second}));
    reader_.emplace(std::move(reader));
    if (reader_->info().seconds > 0) total_ = reader_->info().seconds;
    if (!options_.timeline.empty()) timeline_.emplace(total_, classifier_->classes().size());
    return {};
  }

  /// Once there is a frame: whatever lies there from an earlier run is not lost to an input that holds none.
  Result<void> open_outputs(const video::Frame& first) {
    FOVEA_TRY(open_printer(first));
    FOVEA_ASSIGN(Records records, Records::create(options_.csv, options_.jsonl, classifier_->classes()));
    records_.emplace(std::move(records));
    return {};
  }

  /// A video in the colours of its first frame.
  Result<void> open_printer(const video::Frame& first) {
    if (options_.output.empty()) return {};
    const double rate = reader_->info().frames_per_second;
    std::error_code none;
    const bool file = std::filesystem::is_regular_file(options_.input, none);
    video::WriterOptions video{.width = first.width(),
                               .height = first.height(),
                               .frames_per_second = rate > 0 ? rate : 25,
                               .container = options_.container,
                               .sound_from = options_.sound && file ? options_.input : ""};
    if (first.planes) {
      video.matrix = first.planes->matrix;
      video.full_range = first.planes->full_range;
      video.primaries = reader_->info().primaries;
      video.transfer = reader_->info().transfer;
    }
    FOVEA_ASSIGN(video::VideoWriter writer, video::VideoWriter::create(options_.output, video));
    if (writer.no_sound()) report_.notes.push_back("no sound: " + *writer.no_sound());
    FOVEA_ASSIGN(Panel panel, Panel::create(first.width() & ~1, first.height() & ~1, options_.bars));
    report_.video_codec = writer.codec();
    printer_ = std::make_unique<Printer>(std::move(writer), std::move(panel), Timeline(total_, classifier_->classes().size()),
                                         classifier_->classes());
    return {};
  }

  [[nodiscard]] bool stop_requested() const { return options_.stop != nullptr && options_.stop->load(); }

  Result<void> go_through() {
    bool broke_off = false;
    while (!(report_.stopped = stop_requested())) {
      Result<std::optional<video::Frame>> frame = reader_->next();
      if (!frame && report_.frames == 0) return frame.error();
      if (!frame) {
        report_.notes.push_back(fmt::format("the input broke off after {} frames: {}", report_.frames, frame.error().message));
        broke_off = true;
        break;
      }
      if (!*frame) break;
      FOVEA_TRY(take(std::move(**frame)));
    }
    if (report_.frames == 0) return fail(Error::Kind::kFormat, "{}: holds no frame", options_.input);
    note_damage(broke_off);
    return {};
  }

  [[nodiscard]] double frame_seconds() const {
    const double rate = reader_->info().frames_per_second;
    return rate > 0 ? 1 / rate : 0;
  }

  void note_damage(bool broke_off) {
    const double end = report_.seconds + frame_seconds();
    // Sound may go on behind the last frame.
    constexpr double kMostMissing = 1.0;
    if (!broke_off && !report_.stopped && total_ && *total_ - end > std::max(kMostMissing, *total_ / 20)) {
      report_.notes.push_back(fmt::format(
          "it ends after {:.1f} of the {:.1f} s that it says it has: a recording or a copy that was cut off?", end, *total_));
    }
    if (const std::int64_t damaged = reader_->damaged(); damaged > 0) {
      report_.notes.push_back(
          fmt::format("{} damaged, left out or with parts that the decoder made up: what is said of {} may be wrong",
                      counted(damaged, "frame"), damaged == 1 ? "it" : "them"));
    }
  }

  Result<void> take(video::Frame frame) {
    if (report_.frames == 0) FOVEA_TRY(open_outputs(frame));
    const bool classified = report_.frames % options_.every == 0;
    if (classified) FOVEA_TRY(look(frame));
    const std::span<const double> smooth = smoother_.add(frame.seconds, raw_);
    if (timeline_) timeline_->add(frame.seconds, smooth);
    FOVEA_TRY(records_->add({report_.frames, frame.seconds, classified, rejected_, raw_, smooth}));
    ++report_.frames;
    report_.seconds = frame.seconds;
    if (printer_ && !printer_->push({std::move(frame), std::vector<double>(smooth.begin(), smooth.end()), rejected_})) {
      return printer_->finish(false);
    }
    if (on_progress_) on_progress_({report_.frames, report_.seconds, total_, seconds_since(begin_)});
    return {};
  }

  Result<void> look(const video::Frame& frame) {
    FOVEA_ASSIGN(const Answer answer,
                 frame.planes ? classifier_->classify_frame(*frame.planes)
                              : classifier_->classify_pixels(frame.image.pixels, frame.image.width, frame.image.height));
    const std::vector<std::string>& classes = classifier_->classes();
    raw_.assign(classes.size(), 0);
    for (const Prediction& prediction : answer.predictions) {
      raw_[static_cast<std::size_t>(std::ranges::find(classes, prediction.label) - classes.begin())] = prediction.probability;
    }
    rejected_ = answer.rejected;
    ++report_.classified;
    return {};
  }

  Result<void> finish() {
    if (printer_) FOVEA_TRY(printer_->finish(!report_.stopped));
    FOVEA_TRY(records_->finish());
    if (timeline_) FOVEA_TRY(write_timeline());
    // The last frame is shown as long as the others.
    report_.seconds += frame_seconds();
    report_.elapsed_s = seconds_since(begin_);
    return {};
  }

  [[nodiscard]] Result<void> write_timeline() const {
    Layer strip(1600, 120);
    timeline_->draw(strip);
    Image picture(strip.width, strip.height);
    lay_over(strip, 0, 0, picture);
    return write_signed_picture(options_.timeline, encode_png(picture));
  }

  const AnnotateOptions& options_;
  const std::function<void(const AnnotateProgress&)>& on_progress_;
  SteadyClock::time_point begin_ = SteadyClock::now();
  AnnotateReport report_;
  std::optional<Classifier> classifier_;
  std::optional<video::FrameReader> reader_;
  std::optional<Records> records_;
  std::optional<double> total_;
  std::optional<Timeline> timeline_;  ///< where one is to be written; the printer has its own, on its own thread
  Smoother smoother_;
  std::vector<double> raw_;
  bool rejected_ = false;
  std::unique_ptr<Printer> printer_;
};

}  // namespace
}  // namespace fovea::annotation

namespace fovea {

Result<AnnotateReport> annotate(const AnnotateOptions& options, const std::function<void(const AnnotateProgress&)>& on_progress) {
  return annotation::Run(options, on_progress)();
}

}  // namespace fovea
