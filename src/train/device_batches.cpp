// SPDX-License-Identifier: Apache-2.0
#include "train/device_batches.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/buffer.h"
#include "core/device_failure.h"
#include "core/error.h"
#include "image/resample_weights.h"

namespace fovea::training {
namespace {

static_assert(kPictureWeightBits == kWeightBits && kPictureGrey == kLetterboxGrey, "a device resamples as the host does");

PictureWindow window_of(const Window& window) { return {window.left, window.top, window.width, window.height}; }

/// What was drawn, but for where its numbers lie on the device.
PictureOrder order_of(const DrawnPhoto& photo, const std::byte* pixels) {
  PictureOrder order;
  const std::int64_t first = std::int64_t{photo.source.top} * photo.size.width + photo.source.left;
  order.pixels = reinterpret_cast<const std::uint8_t*>(pixels) + 3 * first;
  order.row_pixels = photo.size.width;
  order.place = window_of(photo.place);
  order.down_first = photo.goes_down_first;
  order.flip_x = photo.plan.flip_x;
  order.flip_y = photo.plan.flip_y;
  order.erased = window_of(photo.plan.erased);
  return order;
}

void set_mix(const MixPlan& plan, Pictures& pictures, std::span<PictureOrder> orders) {
  for (std::size_t row = 0; row < orders.size(); ++row) orders[row].partner = static_cast<std::int32_t>(row);
  for (std::size_t k = 0; k < plan.rows.size(); ++k)
    orders[plan.rows[k]].partner = static_cast<std::int32_t>(plan.rows[(k + 1) % plan.rows.size()]);
  pictures.own = plan.own;
  pictures.patch = window_of(plan.patch);
  switch (plan.kind) {
    case MixPlan::Kind::kNone: pictures.mix = Pictures::Mix::kNone; break;
    case MixPlan::Kind::kBlend: pictures.mix = Pictures::Mix::kBlend; break;
    case MixPlan::Kind::kPatch: pictures.mix = Pictures::Mix::kPatch; break;
  }
}

/// Appends them, aligned; their place.
template <class T>
std::size_t append(std::vector<std::byte>& bytes, const std::vector<T>& values) {
  const std::size_t at = align_up(bytes.size());
  bytes.resize(at + values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(bytes.data() + at, values.data(), values.size() * sizeof(T));
  return at;
}

Error short_of_memory(const DeviceFailure& failure, int batch) {
  return fail(Error::Kind::kLimit,
              "training: memory does not hold the photos of a batch of {} ({}); a smaller --batch needs less", batch,
              failure.what());
}

}  // namespace

DeviceBatches::DeviceBatches(const Backend& backend, std::size_t samples, const LoaderOptions& options, double share)
    : memory_(backend.memory()), ops_(backend.training()), options_(options), held_(memory_, samples), share_(share) {
  const Preprocess& input = options.preprocess;
  const auto rows = static_cast<std::int32_t>(rows_of_part(options));
  const auto floats =
      static_cast<std::size_t>(rows) * static_cast<std::size_t>(input.height) * static_cast<std::size_t>(input.width) * 3;
  images_ = DeviceBuffer(memory_, floats * sizeof(float));
  work_ = DeviceBuffer(memory_, ops_->picture_work_bytes(rows, input.height, input.width));
}

Result<std::unique_ptr<DeviceBatches>> DeviceBatches::create(const Context& context, const Backend& backend,
                                                             std::span<const Sample> samples, PhotoSource& source,
                                                             const LoaderOptions& options, double share) {
  try {
    std::unique_ptr<DeviceBatches> made(new DeviceBatches(backend, samples.size(), options, share));
    LoaderOptions drawing = options;
    drawing.draw_only = true;
    drawing.held = [held = &made->held_](std::int32_t sample) { return held->size(sample); };
    FOVEA_ASSIGN(made->loader_, BatchLoader::create(context, samples, source, drawing));
    return made;
  } catch (const DeviceFailure& failure) {
    if (!failure.out_of_memory()) throw;
    return short_of_memory(failure, options.batch);
  }
}

void DeviceBatches::start_epoch(std::uint32_t epoch, std::int64_t first) {
  for (Stage& stage : stages_) stage.filled = false;
  trouble_.reset();
  loader_->start_epoch(epoch, first);
}

void DeviceBatches::grow(DeviceBuffer& buffer, std::size_t bytes) {
  if (buffer.size() >= bytes) return;
  buffer = DeviceBuffer();  // the memory that the new one may need
  buffer = DeviceBuffer(memory_, bytes + bytes / 8);
  memory_->synchronise();  // new memory is cleared, which what is uploaded beside must not meet
}

/// Held already, or from now on, or for this batch alone.
std::vector<PictureOrder> DeviceBatches::upload_photos(Stage& stage) {
  std::vector<PictureOrder> orders(stage.batch.drawn.size());
  std::vector<std::size_t> passing;  // rows
  std::size_t bytes = 0;
  for (std::size_t row = 0; row < orders.size(); ++row) {
    DrawnPhoto& photo = stage.batch.drawn[row];
    if (!photo.usable()) continue;
    const std::int32_t sample = stage.batch.index[row];
    const std::byte* pixels = held_.find(sample);
    if (pixels == nullptr) pixels = held_.hold(sample, photo.size, photo.pixels);
    if (pixels == nullptr) {
      passing.push_back(row);
      bytes += align_up(photo.pixels.size());
    } else {
      orders[row] = order_of(photo, pixels);
    }
  }
  grow(stage.photos, bytes);
  std::byte* at = stage.photos.data();
  for (const std::size_t row : passing) {
    const DrawnPhoto& photo = stage.batch.drawn[row];
    memory_->upload_beside(std::as_bytes(std::span(photo.pixels)), at);
    orders[row] = order_of(photo, at);
    at += align_up(photo.pixels.size());
  }
  streamed_ += bytes;
  return orders;
}

void DeviceBatches::upload_tables(Stage& stage, std::vector<PictureOrder> orders) {
  Pictures& pictures = stage.pictures;
  std::vector<std::int32_t> axes;
  std::vector<PictureStep> steps;
  const auto axis = [&](const AxisTable& table) {
    const PictureAxis made{static_cast<std::int32_t>(axes.size()), table.stride};
    axes.insert(axes.end(), table.values.begin(), table.values.end());
    return made;
  };
  for (std::size_t row = 0; row < orders.size(); ++row) {
    const DrawnPhoto& photo = stage.batch.drawn[row];
    if (!photo.usable()) continue;
    orders[row].columns = axis(photo.columns);
    orders[row].rows = axis(photo.rows);
    orders[row].first_step = static_cast<std::int32_t>(steps.size());
    orders[row].steps = static_cast<std::int32_t>(photo.plan.steps.size());
    steps.insert(steps.end(), photo.plan.steps.begin(), photo.plan.steps.end());
    pictures.most_steps = std::max(pictures.most_steps, orders[row].steps);
  }
  set_mix(stage.batch.mix, pictures, orders);
  stage.tables.clear();
  const std::size_t of_orders = append(stage.tables, orders), of_steps = append(stage.tables, steps),
                    of_axes = append(stage.tables, axes);
  grow(stage.device_tables, stage.tables.size());
  memory_->upload_beside(stage.tables, stage.device_tables.data());
  const std::byte* device = stage.device_tables.data();
  pictures.orders = reinterpret_cast<const PictureOrder*>(device + of_orders);
  pictures.steps = reinterpret_cast<const PictureStep*>(device + of_steps);
  pictures.tables = reinterpret_cast<const std::int32_t*>(device + of_axes);
}

void DeviceBatches::upload(Stage& stage) {
  if (!std::exchange(room_known_, true)) {
    // Everything that training needs has been taken by now.
    held_.set_room(static_cast<std::uint64_t>(share_ * static_cast<double>(memory_->free_bytes().value_or(0))));
  }
  stage.pictures = {.work = work_.data(),
                    .images = images_.f32(),
                    .count = static_cast<std::int32_t>(stage.batch.rows),
                    .height = options_.preprocess.height,
                    .width = options_.preprocess.width};
  const ChannelScaling channels = channel_scaling_of(options_.preprocess);
  std::ranges::copy(channels.scale, stage.pictures.scale);
  std::ranges::copy(channels.offset, stage.pictures.offset);
  upload_tables(stage, upload_photos(stage));
  // Their bytes are on the device now.
  for (DrawnPhoto& photo : stage.batch.drawn) photo.pixels = {};
}

Result<bool> DeviceBatches::bring(Stage& stage) {
  auto more = loader_->next(stage.batch);
  if (!more || !*more) return more;
  try {
    upload(stage);
  } catch (const DeviceFailure& failure) {
    if (!failure.out_of_memory()) throw;
    return short_of_memory(failure, options_.batch);
  }
  stage.filled = true;
  return true;
}

void DeviceBatches::work_ahead() {
  Stage& stage = stages_[1 - current_];
  if (stage.filled || trouble_ || !loader_->ready()) return;
  if (auto brought = bring(stage); !brought) trouble_ = brought.error();
}

Result<bool> DeviceBatches::next(StepBatch& batch) {
  if (trouble_) return *std::exchange(trouble_, std::nullopt);
  current_ = 1 - current_;
  Stage& stage = stages_[current_];
  if (!stage.filled) {
    FOVEA_ASSIGN(const bool more, bring(stage));
    if (!more) return false;
  }
  stage.filled = false;
  ops_->make_pictures(stage.pictures);
  const Batch& made = stage.batch;
  batch = {.input = {},
           .targets = made.targets.floats(),
           .weights = made.weights.floats(),
           .rows = made.rows,
           .count = made.count,
           .first_row = made.first_row,
           .whole = made.whole,
           .resident = images_.f32()};
  return true;
}

std::string DeviceBatches::residence() const {
  std::string text =
      fmt::format("{} photos stayed on the device ({:.1f} GB)", held_.count(), 1e-9 * static_cast<double>(held_.bytes()));
  if (streamed_ > 0) {
    text += fmt::format("; the others came with each batch that showed them, {:.1f} GB in all",
                        1e-9 * static_cast<double>(streamed_));
  }
  return text;
}

Result<std::unique_ptr<BatchSource>> make_photo_batches(const Context& context, const Backend& backend,
                                                        std::span<const Sample> samples, PhotoSource& source,
                                                        const LoaderOptions& options) {
  if (backend.training() != nullptr) {
    FOVEA_ASSIGN(auto batches, DeviceBatches::create(context, backend, samples, source, options));
    return std::unique_ptr<BatchSource>(std::move(batches));
  }
  FOVEA_ASSIGN(auto loader, BatchLoader::create(context, samples, source, options));
  return std::unique_ptr<BatchSource>(std::make_unique<PhotoBatches>(std::move(loader)));
}

}  // namespace fovea::training
