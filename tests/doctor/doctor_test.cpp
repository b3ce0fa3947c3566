// SPDX-License-Identifier: Apache-2.0
#include "doctor/doctor.h"

#include <gtest/gtest.h>

#include "hardware/fake_system.h"

namespace fovea {
namespace {

using hardware::test::FakeSystem;

DoctorOptions quick(const std::string& device = "auto") {
  DoctorOptions options;
  options.device = device;
  options.measure = false;
  return options;
}

TEST(Doctor, AMachineWithoutAGpuIsWell) {
  FakeSystem system;
  system.file("proc/cpuinfo", "model name\t: Fake Processor 3000\n");
  system.file("proc/meminfo", "MemTotal: 2000 kB\nMemAvailable: 1000 kB\n");
  const DoctorReport report = examine(quick(), system.view());
  EXPECT_TRUE(report.verdict.starts_with("all is well")) << report.verdict;
  EXPECT_NE(report.verdict.find("Fake Processor 3000"), std::string::npos);
  EXPECT_TRUE(report.faults.empty());
  EXPECT_TRUE(report.gpus.empty());
  EXPECT_NE(report.no_gpu.find("no NVIDIA GPU"), std::string::npos);
  EXPECT_EQ(report.processor.memory, 2000 * 1024);
  EXPECT_FALSE(report.processor.instruction_set.empty());
  EXPECT_EQ(report.processor.gemm_gflops, 0);
  ASSERT_FALSE(report.uses.empty());
  for (const DeviceUse& use : report.uses) EXPECT_EQ(use.device, "cpu");
  ASSERT_EQ(report.libraries.size(), 1U);
  EXPECT_FALSE(report.libraries[0].version.empty());
}

TEST(Doctor, AnIdleGpuIsTheVerdict) {
  FakeSystem system;
  system.pci("0000:65:00.0", "0x10de", "0x030000");
  const DoctorReport report = examine(quick(), system.view());
  EXPECT_TRUE(report.verdict.starts_with("a GPU stands idle")) << report.verdict;
  EXPECT_TRUE(report.faults.empty());  // nobody asked for it
  ASSERT_EQ(report.gpus.size(), 1U);
  EXPECT_EQ(report.gpus[0].name, "NVIDIA 10de:2335");
  EXPECT_NE(report.gpus[0].problem.find("driver"), std::string::npos);
}

TEST(Doctor, WhatTheDriverSaysIsTold) {
  FakeSystem system;
  system.complete();
  const DoctorReport report = examine(quick(), system.view());
  EXPECT_EQ(report.driver, "580.65.06");
  EXPECT_EQ(report.driver_cuda, "13.0");
  ASSERT_EQ(report.gpus.size(), 1U);
  EXPECT_EQ(report.gpus[0].name, "Fake 9000");
  EXPECT_EQ(report.gpus[0].compute_capability, "9.0");
  EXPECT_EQ(report.gpus[0].free_memory, 140'000'000'000);
  EXPECT_EQ(report.gpus[0].problem, "");
  ASSERT_EQ(report.libraries.size(), 3U);
  EXPECT_EQ(report.libraries[1].version, "13.0.0");
  EXPECT_EQ(report.libraries[2].name, "libnvjpeg.so.13");
  EXPECT_EQ(report.libraries[2].version, "") << "it is not there, and nothing but --decode gpu needs it";
  system.library("libnvjpeg.so", "12.4.0.76");
  EXPECT_EQ(examine(quick(), system.view()).libraries[2].version, "12.4.0.76");
}

TEST(Doctor, WhatWasAskedForAndCannotBeIsAFault) {
  const FakeSystem system;
  DoctorReport report = examine(quick("cuda"), system.view());
  ASSERT_EQ(report.faults.size(), 1U);
  EXPECT_TRUE(report.verdict.starts_with("not as asked")) << report.verdict;
  EXPECT_EQ(report.uses[0].device, "");
  EXPECT_EQ(examine(quick("cpu"), system.view()).faults.size(), 0U);

  ::setenv("FOVEA_CPU", "sse9", 1);
  report = examine(quick(), hardware::this_system());
  ::unsetenv("FOVEA_CPU");
  ASSERT_EQ(report.faults.size(), 1U);
  EXPECT_NE(report.faults[0].find("FOVEA_CPU"), std::string::npos);
}

}  // namespace
}  // namespace fovea
