// SPDX-License-Identifier: Apache-2.0
#include "train/photo_rows.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "data/row.h"
#include "data/workers.h"

namespace fovea::training {
namespace {

constexpr std::size_t kMostKeptBytes = std::size_t{1} << 30;  // of pixels

std::vector<std::int32_t> all_positions(std::span<const Sample> samples) {
  std::vector<std::int32_t> positions(samples.size());
  std::iota(positions.begin(), positions.end(), 0);
  return positions;
}

}  // namespace

std::int64_t most_kept_photos(std::int64_t bytes) {
  return static_cast<std::int64_t>(kMostKeptBytes) / std::max<std::int64_t>(bytes, 1);
}

void LabelledTable::append(LabelledTable other) {
  table.append(other.table);
  features.append(other.features);
  labels.insert(labels.end(), other.labels.begin(), other.labels.end());
  index.insert(index.end(), other.index.begin(), other.index.end());
  fingerprints.insert(fingerprints.end(), other.fingerprints.begin(), other.fingerprints.end());
}

/// The photos at some positions, shared out in small groups.
class PhotoRows::Computation {
 public:
  Computation(const PhotoRows& rows, Inference& inference, std::span<const std::int32_t> positions, PhotoSource& source,
              Reporter& reporter)
      : rows_(rows),
        inference_(inference),
        positions_(positions),
        source_(source),
        reporter_(reporter),
        photos_(positions.size()) {
    make_room(inference.output(), rows_of_output_);
    if (inference.also_features()) make_room("features", rows_of_features_);
  }

  void want_fingerprints() { fingerprints_ = true; }
  /// Fitted pixels are looked for, and left, here: one entry a sample.
  void keep_in(std::vector<std::vector<std::uint8_t>>& kept) {
    kept_ = &kept;
    for (const auto& pixels : kept) kept_bytes_ += pixels.size();
  }

  Result<LabelledTable> run() {
    const auto batch = static_cast<std::size_t>(inference_.lane(0).batch());
    const std::size_t groups = (positions_.size() + batch - 1) / batch;
    Context context = rows_.context_;
    context.threads = std::min(context.threads, inference_.lanes());
    const bool complete = for_each_photo(context, static_cast<std::int64_t>(groups), [&](std::int64_t group, int lane) {
      const std::size_t first = static_cast<std::size_t>(group) * batch;
      // Whoever took an earlier photo finishes it, so the first failure in the list is always among those found.
      if (!failed_) compute(first, std::min(positions_.size(), first + batch), lane);
      if (lane == 0) tell();
    });
    if (!complete || context.folders_lost()) return fail(Error::Kind::kCancelled, "stopped on request");
    tell();
    return collect();
  }

 private:
  struct Photo {
    std::optional<Error> failure;
    std::optional<Fingerprint> fingerprint;
  };
  /// Rows of one output, in the order of the positions.
  struct Rows {
    std::string_view output;
    std::size_t width = 0;
    std::vector<float> values;
    [[nodiscard]] std::span<float> row(std::size_t i) { return std::span(values).subspan(i * width, width); }
    /// The first `count` rows.
    [[nodiscard]] Table take(std::size_t count) {
      values.resize(count * width);
      return {static_cast<std::int64_t>(width), std::move(values)};
    }
  };

  void make_room(std::string_view output, Rows& rows) {
    rows.output = output;
    rows.width = inference_.lane(0).row(output, 0).size();
    rows.values.resize(positions_.size() * rows.width);
  }

  void compute(std::size_t begin, std::size_t end, int lane) {
    NetworkRunner& network = inference_.lane(lane);
    std::vector<std::size_t> filled;
    for (std::size_t i = begin; i < end; ++i) {
      const Result<void> prepared = prepare(i, network.input(static_cast<int>(filled.size())));
      if (prepared) {
        filled.push_back(i);
      } else {
        photos_[i].failure = prepared.error();
        failed_ = failed_ || rows_.strict_;
      }
    }
    if (!filled.empty()) network.run();
    for (std::size_t n = 0; n < filled.size(); ++n) {
      for (Rows* rows : {&rows_of_output_, &rows_of_features_}) {
        if (rows->width > 0) std::ranges::copy(network.row(rows->output, static_cast<int>(n)), rows->row(filled[n]).begin());
      }
    }
    done_ += static_cast<std::int64_t>(end - begin);
  }

  /// Photo i of the positions to network input.
  Result<void> prepare(std::size_t i, std::span<float> input) {
    const auto sample = static_cast<std::size_t>(positions_[i]);
    if (kept_ != nullptr && !(*kept_)[sample].empty()) {
      normalize((*kept_)[sample], rows_.preprocess_, input);
      return {};
    }
    auto loaded = load_fitted(source_, rows_.samples_[sample].path, rows_.preprocess_);
    rows_.context_.tell_folders(rows_.samples_[sample].path, loaded.ok());
    FOVEA_ASSIGN(Image image, std::move(loaded));
    normalize(image.pixels, rows_.preprocess_, input);
    if (fingerprints_) photos_[i].fingerprint = fingerprint_of(image);
    if (kept_ == nullptr) return {};
    kept_bytes_ += image.pixels.size();
    if (kept_bytes_ <= kMostKeptBytes) (*kept_)[sample] = std::move(image.pixels);
    return {};
  }

  void tell() {
    const std::int64_t done = done_;
    reporter_.advance(done - std::exchange(told_, done));
  }

  /// Rows of the readable photos, moved together.
  Result<LabelledTable> collect() {
    LabelledTable out;
    std::vector<SkippedPhoto> skipped;
    for (std::size_t i = 0; i < photos_.size(); ++i) {
      const Sample& sample = rows_.samples_[static_cast<std::size_t>(positions_[i])];
      if (photos_[i].failure) {
        if (rows_.strict_) return *photos_[i].failure;
        skipped.push_back({sample.path, photos_[i].failure->message});
        continue;
      }
      const std::size_t row = out.labels.size();
      if (i != row) {
        for (Rows* rows : {&rows_of_output_, &rows_of_features_}) std::ranges::copy(rows->row(i), rows->row(row).begin());
      }
      out.labels.push_back(sample.labels.empty() ? -1 : sample.labels.front());
      out.index.push_back(positions_[i]);
      if (fingerprints_) out.fingerprints.push_back(std::move(photos_[i].fingerprint));
    }
    reporter_.skipped(skipped);
    out.table = rows_of_output_.take(out.labels.size());
    out.features = rows_of_features_.take(out.labels.size());
    return out;
  }

  const PhotoRows& rows_;
  Inference& inference_;
  std::span<const std::int32_t> positions_;
  PhotoSource& source_;
  Reporter& reporter_;
  bool fingerprints_ = false;
  std::vector<std::vector<std::uint8_t>>* kept_ = nullptr;
  std::atomic<std::size_t> kept_bytes_ = 0;
  std::vector<Photo> photos_;  ///< per position
  Rows rows_of_output_;
  Rows rows_of_features_;  ///< of width 0 where nobody asked
  std::atomic<bool> failed_ = false;
  std::atomic<std::int64_t> done_ = 0;
  std::int64_t told_ = 0;
};

Result<LabelledTable> PhotoRows::run(Inference& inference, Reporter& reporter) {
  const std::vector<std::int32_t> positions = all_positions(samples_);
  Decoder decoder(shorter_side_needed(preprocess_));
  Computation computation(*this, inference, positions, decoder, reporter);
  computation.keep_in(kept_);
  return computation.run();
}

Result<LabelledTable> PhotoRows::run_once(Inference& inference, Reporter& reporter) const {
  const std::vector<std::int32_t> positions = all_positions(samples_);
  Decoder decoder(shorter_side_needed(preprocess_));
  return Computation(*this, inference, positions, decoder, reporter).run();
}

Result<LabelledTable> PhotoRows::run_some(Inference& inference, std::span<const std::int32_t> positions, Reporter& reporter,
                                          PhotoSource* source) const {
  Decoder decoder(shorter_side_needed(preprocess_));
  Computation computation(*this, inference, positions, source != nullptr ? *source : decoder, reporter);
  computation.want_fingerprints();
  return computation.run();
}

}  // namespace fovea::training
