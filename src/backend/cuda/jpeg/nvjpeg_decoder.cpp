// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/jpeg/nvjpeg_decoder.h"

#include <mutex>
#include <utility>

#include "backend/cuda/kernels/pictures.h"
#include "backend/cuda/lane.h"
#include "core/buffer.h"
#include "core/device_failure.h"
#include "core/error.h"

namespace fovea::cuda {
namespace {

const unsigned char* data_of(std::span<const std::byte> file) { return reinterpret_cast<const unsigned char*>(file.data()); }

/// What a failure says of a file; what has nothing to do with it is thrown.
Error error_of(nvjpeg::Status status) {
  switch (status) {
    case nvjpeg::kBadJpeg:
    case nvjpeg::kJpegNotSupported:
    case nvjpeg::kImplementationNotSupported:
    case nvjpeg::kIncompleteBitstream: return fail(Error::Kind::kUnsupported, "nvJPEG: {}", text_of(status));
    default: break;
  }
  const bool memory = status == nvjpeg::kAllocatorFailure;
  throw DeviceFailure(memory ? DeviceFailure::Kind::kOutOfMemory : DeviceFailure::Kind::kLost,
                      fmt::format("nvJPEG: {}", text_of(status)));
}

/// What a thread decodes with.
class Desk {
 public:
  Desk(std::shared_ptr<const NvJpegLibrary> library, std::unique_ptr<Lane> lane)
      : library_(std::move(library)), lane_(std::move(lane)) {
    (void)lane_->room(0);
    if (const auto status = library_->call().create_state(library_->handle(), &state_); status != nvjpeg::kSuccess)
      throw DeviceFailure(DeviceFailure::Kind::kLost, fmt::format("nvJPEG: {}", text_of(status)));
  }
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;
  ~Desk() { (void)library_->call().destroy_state(state_); }

  Result<std::vector<std::uint8_t>> decode(std::span<const std::byte> file, JpegSize size, const JpegResampling& to) {
    const std::size_t pitch = std::size_t{3} * static_cast<std::size_t>(size.width);
    const std::size_t photo = align_up(pitch * static_cast<std::size_t>(size.height));
    const std::size_t tables = align_up((to.columns.size() + to.rows.size()) * sizeof(std::int32_t));
    const std::size_t order = align_up(sizeof(PictureOrder));
    std::byte* memory = lane_->room(photo + tables + order + picture_work_bytes(1, to.size.height, to.size.width));
    auto* pixels = reinterpret_cast<unsigned char*>(memory);
    nvjpeg::Image image{{pixels}, {pitch}};
    const auto status = library_->call().decode(library_->handle(), state_, data_of(file), file.size(), nvjpeg::kRgbInterleaved,
                                                &image, lane_->stream());
    if (status != nvjpeg::kSuccess) return error_of(status);
    std::byte* at = memory + photo;
    lane_->upload(std::as_bytes(to.columns), at);
    lane_->upload(std::as_bytes(to.rows), at + to.columns.size_bytes());
    const PictureOrder plan = order_of(pixels, size, to);
    lane_->upload(std::as_bytes(std::span(&plan, 1)), at + tables);
    const Pictures pictures{.orders = reinterpret_cast<const PictureOrder*>(at + tables),
                            .tables = reinterpret_cast<const std::int32_t*>(at),
                            .work = at + tables + order,
                            .count = 1,
                            .height = to.size.height,
                            .width = to.size.width};
    const std::uint8_t* made = fit_pictures(lane_->stream(), pictures);
    std::vector<std::uint8_t> fetched(std::size_t{3} * static_cast<std::size_t>(to.size.width) *
                                      static_cast<std::size_t>(to.size.height));
    lane_->download(reinterpret_cast<const std::byte*>(made), std::as_writable_bytes(std::span(fetched)));
    return fetched;
  }

 private:
  static PictureOrder order_of(const std::uint8_t* pixels, JpegSize size, const JpegResampling& to) {
    PictureOrder order;
    order.pixels = pixels;
    order.row_pixels = size.width;
    order.place = {0, 0, to.size.width, to.size.height};
    order.columns = {0, to.column_stride};
    order.rows = {static_cast<std::int32_t>(to.columns.size()), to.row_stride};
    order.down_first = to.down_first;
    return order;
  }

  std::shared_ptr<const NvJpegLibrary> library_;
  std::unique_ptr<Lane> lane_;
  nvjpeg::State state_ = nullptr;
};

class NvJpegDecoder final : public JpegDecoder {
 public:
  NvJpegDecoder(std::shared_ptr<Machine> machine, std::shared_ptr<const NvJpegLibrary> library)
      : machine_(std::move(machine)), library_(std::move(library)) {}

  [[nodiscard]] std::string_view name() const override { return library_->name(); }

  Result<JpegSize> size_of(std::span<const std::byte> file) override {
    int components = 0, subsampling = nvjpeg::kUnknownSubsampling;
    int widths[nvjpeg::kMostComponents] = {}, heights[nvjpeg::kMostComponents] = {};
    const auto status = library_->call().get_image_info(library_->handle(), data_of(file), file.size(), &components, &subsampling,
                                                        widths, heights);
    if (status != nvjpeg::kSuccess) return error_of(status);
    if (components != 1 && components != 3)
      return fail(Error::Kind::kUnsupported, "nvJPEG: {} components, expected 1 or 3", components);
    if (subsampling == nvjpeg::kUnknownSubsampling)
      return fail(Error::Kind::kUnsupported, "nvJPEG: a subsampling that it does not know");
    return JpegSize{widths[0], heights[0]};
  }

  Result<std::vector<std::uint8_t>> decode(std::span<const std::byte> file, JpegSize size, const JpegResampling& to) override {
    std::unique_ptr<Desk> desk = take();
    auto made = desk->decode(file, size, to);
    // Not after a failure: what the library's state is then, nobody says.
    if (made) give_back(std::move(desk));
    return made;
  }

 private:
  std::unique_ptr<Desk> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<Desk> desk = std::move(idle_.back());
        idle_.pop_back();
        return desk;
      }
    }
    return std::make_unique<Desk>(library_, machine_->make_lane());
  }
  void give_back(std::unique_ptr<Desk> desk) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(desk));
  }

  std::shared_ptr<Machine> machine_;
  std::shared_ptr<const NvJpegLibrary> library_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Desk>> idle_;
};

}  // namespace

std::shared_ptr<JpegDecoder> make_nvjpeg_decoder(std::shared_ptr<Machine> machine, std::shared_ptr<const NvJpegLibrary> library) {
  return std::make_shared<NvJpegDecoder>(std::move(machine), std::move(library));
}

}  // namespace fovea::cuda
