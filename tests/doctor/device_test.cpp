// SPDX-License-Identifier: Apache-2.0
//
// What --device keeps of its promise.
#include "runtime/device.h"

#include <gtest/gtest.h>

#include "hardware/fake_system.h"

namespace fovea {
namespace {

using hardware::test::FakeSystem;

TEST(OpenDevice, ACpuIsAlwaysThere) {
  const FakeSystem system;
  const auto device = open_device("cpu", system.view());
  ASSERT_TRUE(device.ok());
  EXPECT_EQ(device->name, "cpu");
  EXPECT_NE(device->reason.find("as asked"), std::string::npos);
}

TEST(OpenDevice, AutoSaysWhyNoGpu) {
  const FakeSystem bare;
  auto device = open_device("auto", bare.view());
  ASSERT_TRUE(device.ok());
  EXPECT_EQ(device->name, "cpu");
  EXPECT_NE(device->reason.find("no NVIDIA GPU"), std::string::npos) << device->reason;

  FakeSystem idle;
  idle.pci("0000:65:00.0", "0x10de", "0x030000", "nouveau");
  device = open_device("auto", idle.view());
  ASSERT_TRUE(device.ok());
  EXPECT_EQ(device->name, "cpu");
  for (const char* part : {"not used", "nouveau", "nvidia-driver"})
    EXPECT_NE(device->reason.find(part), std::string::npos) << device->reason;
}

TEST(OpenDevice, WhatWasAskedForIsNeverReplaced) {
  const FakeSystem bare;
  for (const char* request : {"cuda", "cuda:0", "cuda:3"}) {
    const auto device = open_device(request, bare.view());
    ASSERT_FALSE(device.ok());
    EXPECT_EQ(device.error().kind, Error::Kind::kUnsupported);
    EXPECT_NE(device.error().message.find(request), std::string::npos);
    EXPECT_NE(device.error().message.find("no NVIDIA GPU"), std::string::npos) << device.error().message;
    EXPECT_EQ(device.error().message.find('\n'), std::string::npos);
  }
}

TEST(OpenDevice, AGpuThatIsFineMeetsTheBuild) {
  FakeSystem system;
  system.complete();
  const auto device = open_device("cuda", system.view());
  if (device.ok()) GTEST_SKIP() << "needs a machine without a GPU";
  // A build without the plug-in says that; the plug-in says what CUDA says of this machine.
  EXPECT_NE(device.error().message.find("CUDA"), std::string::npos) << device.error().message;
  const auto missing = open_device("cuda:7", system.view());
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().message.find("no GPU 7"), std::string::npos) << missing.error().message;
}

TEST(OpenDevice, NamesThatAreNone) {
  const FakeSystem system;
  for (const char* request : {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "cuda:99999999999999", "cpu:0"}) {
    const auto device = open_device(request, system.view());
    ASSERT_FALSE(device.ok()) << request;
    EXPECT_EQ(device.error().kind, Error::Kind::kUsage) << request;
  }
}

TEST(OpenDevices, OneNameIsOneDevice) {
  const FakeSystem system;
  const auto devices = open_devices("auto", system.view());
  ASSERT_TRUE(devices.ok());
  ASSERT_EQ(devices->size(), 1U);
  EXPECT_EQ(devices->front().name, "cpu");
}

TEST(OpenDevices, SeveralTrainersOnProcessors) {
  const FakeSystem system;
  const auto devices = open_devices("cpu:3", system.view());
  ASSERT_TRUE(devices.ok());
  EXPECT_EQ(devices->size(), 3U);
  EXPECT_NE(devices->front().reason.find("3 trainers"), std::string::npos);
}

TEST(OpenDevices, GpusThatAreNotThereAreRefusedWithTheReason) {
  const FakeSystem bare;
  for (const char* request : {"cuda:all", "cuda:0,1"}) {
    const auto devices = open_devices(request, bare.view());
    ASSERT_FALSE(devices.ok());
    EXPECT_EQ(devices.error().kind, Error::Kind::kUnsupported);
    EXPECT_NE(devices.error().message.find("no NVIDIA GPU"), std::string::npos) << devices.error().message;
  }
  FakeSystem one;
  one.complete();
  const auto second = open_devices("cuda:1,7", one.view());
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().message.find("no GPU 1"), std::string::npos) << second.error().message;
}

TEST(OpenDevices, NamesThatAreNone) {
  const FakeSystem system;
  for (const char* request : {"", "cuda:0,", "cuda:,1", "cuda:0,0", "cuda:0,x", "cpu:0", "cpu:x", "cpu:1000"}) {
    const auto devices = open_devices(request, system.view());
    ASSERT_FALSE(devices.ok()) << request;
    EXPECT_EQ(devices.error().kind, Error::Kind::kUsage) << request;
  }
}

}  // namespace
}  // namespace fovea
