// Photos decoded by the device: nvJPEG found and opened, what it takes, and what the host decodes instead. A library of its
// functions over libjpeg stands for it.
// SPDX-License-Identifier: Apache-2.0
#include "train/device_decoder.h"

#include <gmock/gmock.h>

#include <cstring>
#include <thread>

#include "backend/cuda/jpeg/nvjpeg_library.h"
#include "backend/registry.h"
#include "core/shared_library.h"
#include "cuda_host/host_backend.h"
#include "data/cache.h"
#include "image/decode.h"
#include "image/encode.h"
#include "image/raster.h"
#include "image/resize.h"
#include "train/tiny_data.h"
#include "train/training_run.h"

namespace fovea::training {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kRight = FAKE_NVJPEG_FOLDER "/libfake_nvjpeg_right.so";

Result<std::unique_ptr<DeviceDecoder>> decoder_of(const char* file, std::size_t memory = ~std::size_t{0}) {
  const auto backend = test::make_cuda_host_backend({.memory_bytes = memory, .nvjpeg = file});
  auto device = backend->jpeg_decoder();
  if (!device) return device.error();
  return std::make_unique<DeviceDecoder>(std::move(*device));
}

/// Handles and states of the stand-in that nobody has ended.
int alive() {
  const auto library = SharedLibrary::open(kRight);
  return library ? library->find<int()>("fake_nvjpeg_alive")() : -1;
}

std::vector<std::byte> jpeg(int width, int height) { return encode_jpeg(test::random_photo(width, height, 7), 95); }

/// The same JPEG with an Exif segment that says how to turn it.
std::vector<std::byte> turned(const std::vector<std::byte>& file, std::uint8_t orientation) {
  std::vector<std::uint8_t> exif{0xFF, 0xE1, 0, 34,   'E', 'x', 'i', 'f', 0, 0, 'M', 'M',         0, 42, 0, 0, 0, 8,
                                 0,    1,    1, 0x12, 0,   3,   0,   0,   0, 1, 0,   orientation, 0, 0,  0, 0, 0, 0};
  std::vector<std::byte> made(file.begin(), file.begin() + 2);
  for (const std::uint8_t byte : exif) made.push_back(static_cast<std::byte>(byte));
  made.insert(made.end(), file.begin() + 2, file.end());
  return made;
}

std::string why_not(const char* file) {
  const auto decoder = decoder_of(file);
  EXPECT_FALSE(decoder.ok());
  if (decoder.ok()) return "";
  EXPECT_EQ(decoder.error().kind, Error::Kind::kUnsupported);
  return decoder.error().message;
}

TEST(NvJpeg, WhatCannotBeUsedIsNamed) {
  EXPECT_THAT(why_not("libnvjpeg-that-is-nowhere.so.13"),
              AllOf(HasSubstr("libnvjpeg-that-is-nowhere.so.13"), HasSubstr("--decode cpu")));
  EXPECT_THAT(why_not(FAKE_NVJPEG_FOLDER "/libfake_nvjpeg_old.so"), HasSubstr("is nvJPEG 11.0, expected 12 or 13"));
  EXPECT_THAT(why_not(FAKE_NVJPEG_FOLDER "/libfake_nvjpeg_broken.so"), HasSubstr("does not start: it does not know this GPU"));
  EXPECT_THAT(why_not("libm.so.6"), HasSubstr("it has no function nvjpegGetProperty"));
  EXPECT_EQ(alive(), 0);
}

TEST(NvJpeg, TheFirstFileThatThereIsIsTaken) {
  const std::string files[] = {"libnvjpeg-that-is-nowhere.so.13", kRight};
  const auto library = cuda::NvJpegLibrary::open(files);
  ASSERT_TRUE(library.ok()) << library.error().message;
  EXPECT_EQ((*library)->name(), "nvJPEG 13.0");
}

TEST(NvJpeg, AProcessorHasNone) {
  const auto cpu = make_backend("cpu").value();
  const auto decoder = cpu->jpeg_decoder();
  ASSERT_FALSE(decoder.ok());
  EXPECT_THAT(decoder.error().message, HasSubstr("the cpu device decodes no photos"));
}

/// The stand-in decodes as the host does, whole; resampling is level for level the host's.
TEST(DeviceDecoding, GivesThePictureScaledDownAndUpright) {
  {
    const auto decoder = decoder_of(kRight).value();
    struct Size {
      int width, height, side;
    };
    for (const auto& [width, height, side] : {Size{64, 48, 20}, Size{48, 65, 48}, Size{40, 90, 100}, Size{33, 200, 17}}) {
      for (const int orientation : {1, 3, 6}) {
        const auto file = turned(jpeg(width, height), static_cast<std::uint8_t>(orientation));
        const auto made = decoder->decode(file, side, Filter::kBilinear);
        ASSERT_TRUE(made.ok()) << made.error().message;
        const Image whole = decode_image(jpeg(width, height)).value();
        const WorkingSize size = working_size(width, height, side);
        const Image expected = upright(resize(whole, size.width, size.height, Filter::kBilinear), orientation);
        EXPECT_EQ(made->width, expected.width);
        EXPECT_EQ(made->height, expected.height);
        EXPECT_EQ(made->pixels, expected.pixels) << width << " x " << height << " turned by " << orientation;
      }
    }
    EXPECT_EQ(decoder->report(), "12 photos decoded by nvJPEG 13.0");
    EXPECT_EQ(alive(), 2) << "a handle, and one state for one thread";
  }
  EXPECT_EQ(alive(), 0);
}

TEST(DeviceDecoding, WhatItDoesNotTakeIsTheHostsAndCounted) {
  const auto decoder = decoder_of(kRight).value();
  auto cut = jpeg(64, 48);
  cut.erase(cut.end() - 2, cut.end());  // the end marker alone is missing, which the host forgives
  const std::vector<std::vector<std::byte>> files{encode_png(test::random_photo(64, 48, 7)), cut, jpeg(71, 48), jpeg(97, 48)};
  for (const auto& file : files) {
    const auto made = decoder->decode(file, 20, Filter::kBilinear);
    ASSERT_TRUE(made.ok()) << made.error().message;
    EXPECT_EQ(made->pixels, decode_image(file, {.shorter_side_needed = 20})->pixels);
  }
  EXPECT_TRUE(decoder->decode(jpeg(64, 48), 20, Filter::kBilinear).ok());
  EXPECT_EQ(
      decoder->report(),
      "1 photo decoded by nvJPEG 13.0, 4 by the CPU (1: JPEG, without an end; 1: PNG; 1: nvJPEG: a subsampling that it does "
      "not know; 1: nvJPEG: it cannot parse this JPEG)");
  EXPECT_FALSE(decoder->failure().has_value());
}

TEST(DeviceDecoding, WhatNobodyCanReadIsAnError) {
  const auto decoder = decoder_of(kRight).value();
  std::vector<std::byte> noise(100, std::byte{7});
  EXPECT_FALSE(decoder->decode(noise, 20, Filter::kBilinear).ok());
  EXPECT_EQ(decoder->report(), "");
}

/// Short memory says nothing of a photo: another decoder's pixels in its place would follow the machine's load.
TEST(DeviceDecoding, AFailureOfTheDeviceIsNotTheHosts) {
  const auto by_library = decoder_of(kRight).value();
  const auto by_memory = decoder_of(kRight, 1000).value();
  EXPECT_FALSE(by_library->decode(jpeg(89, 48), 20, Filter::kBilinear).ok());
  EXPECT_FALSE(by_memory->decode(jpeg(64, 48), 20, Filter::kBilinear).ok());
  for (const auto& decoder : {by_library.get(), by_memory.get()}) {
    ASSERT_TRUE(decoder->failure().has_value());
    EXPECT_THAT(decoder->failure()->message, HasSubstr("--decode cpu does without"));
    EXPECT_EQ(decoder->report(), "");
  }
}

TEST(DeviceDecoding, ThreadsGetTheSamePixels) {
  {
    const auto decoder = decoder_of(kRight).value();
    const auto file = jpeg(120, 90);
    const auto expected = decoder->decode(file, 30, Filter::kBicubic)->pixels;
    std::vector<std::vector<std::uint8_t>> made(4);
    std::vector<std::thread> threads;
    for (auto& pixels : made)
      threads.emplace_back([&] {
        for (int i = 0; i < 5; ++i) pixels = decoder->decode(file, 30, Filter::kBicubic)->pixels;
      });
    for (std::thread& thread : threads) thread.join();
    for (const auto& pixels : made) EXPECT_EQ(pixels, expected);
  }
  EXPECT_EQ(alive(), 0);
}

TEST(DeviceDecoding, ACacheKeepsItsPixelsApartFromTheHosts) {
  const test::TemporaryFolder folder;
  test::photo_file(folder / "photo.png", test::random_photo(64, 48, 7));
  const auto decoder = decoder_of(kRight).value();
  const CachedForm form = CachedForm::working({.height = 16, .width = 16});
  const auto load = [&](FileDecoder* by) {
    const auto cache = PhotoCache::open("set", form, {.folder = folder / "cache", .decoder = by});
    EXPECT_TRUE(cache->load(folder / "photo.png").ok());
    return cache->statistics().hits;
  };
  EXPECT_EQ(load(nullptr), 0);
  EXPECT_EQ(load(decoder.get()), 0) << "decoded anew";
  EXPECT_EQ(load(nullptr), 1);
  EXPECT_EQ(load(decoder.get()), 1);
}

/// A whole run on photos of both kinds.
TEST(DeviceDecoding, ARunNamesItsDecoderAndWhatTheCpuDecoded) {
  const test::TemporaryFolder folder;
  TrainOptions options = test::prepare_tiny_run(folder);
  for (int label = 0; label < 3; ++label) {
    const std::string name = std::string("data/train/") + static_cast<char>('a' + label) + "/more.jpg";
    const auto file = encode_jpeg(test::coloured_photo(label, 99), 90);
    test::text_file(folder / name, {reinterpret_cast<const char*>(file.data()), file.size()});
  }
  options.scope = Scope::kFull;
  options.batchnorm = BatchNormMode::kFrozen;
  options.lr = 1e-4;
  options.decode = DecodeChoice::kGpu;
  class Listener final : public TrainObserver {
   public:
    void on_note(std::string_view text) override { said += std::string(text) + "\n"; }
    std::string said;
  } listener;
  std::vector<Device> devices;
  devices.push_back(Device{"cuda:0", "the proof of its kernels", test::make_cuda_host_backend({.nvjpeg = kRight})});
  const auto report = TrainingRun(options, &listener, std::move(devices)).run();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_THAT(listener.said, HasSubstr("3 photos decoded by nvJPEG 13.0, 24 by the CPU (24: PNG)"));
  const auto model = load_model(folder / "model.safetensors");
  ASSERT_TRUE(model.ok());
  EXPECT_THAT(model->provenance, testing::Contains(testing::Pair("choice: decoder", HasSubstr("nvJPEG 13.0"))));
}

TEST(DeviceDecoding, IsRefusedWhereItCannotBeHadOrHasNothingToDecode) {
  const test::TemporaryFolder folder;
  TrainOptions options = test::prepare_tiny_run(folder);
  options.decode = DecodeChoice::kGpu;
  options.device = "cpu";
  options.scope = Scope::kFull;
  auto report = train(options);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().message, "--decode gpu: the cpu device decodes no photos; --decode cpu always can");
  options.scope = Scope::kHead;
  report = train(options);
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(report.error().message, HasSubstr("--scope full"));
}

}  // namespace
}  // namespace fovea::training
