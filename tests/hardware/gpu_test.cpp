// SPDX-License-Identifier: Apache-2.0
//
// Every reason why a GPU cannot be used, each on a machine made of files.
#include "hardware/gpu.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "hardware/fake_system.h"

namespace fovea::hardware {
namespace {

using test::FakeSystem;

GpuDiagnosis diagnosis_of(const FakeSystem& system, const GpuNeeds& needs = {}, int index = 0) {
  return diagnose(probe_gpus(system.view(), needs), needs, index, system.view());
}

/// The problem, and that the sentence names these things in one line.
void expect(const GpuDiagnosis& diagnosis, GpuProblem problem, const std::vector<std::string>& named) {
  EXPECT_EQ(diagnosis.problem, problem) << name_of(diagnosis.problem) << ": " << diagnosis.sentence();
  for (const std::string& part : named)
    EXPECT_NE(diagnosis.sentence().find(part), std::string::npos) << diagnosis.sentence() << " does not name " << part;
  EXPECT_EQ(diagnosis.sentence().find('\n'), std::string::npos);
}

TEST(Gpu, CanBeUsedWhereEverythingIsThere) {
  FakeSystem system;
  system.complete();
  expect(diagnosis_of(system), GpuProblem::kNone, {});
  const GpuFacts facts = probe_gpus(system.view());
  EXPECT_EQ(facts.module, "580.65.06");
  ASSERT_TRUE(facts.driver);
  EXPECT_EQ(facts.driver->cuda, (Version{13, 0}));
  ASSERT_EQ(facts.driver->gpus.size(), 1U);
  EXPECT_EQ(facts.driver->gpus[0].name, "Fake 9000");
  EXPECT_EQ(facts.driver->gpus[0].compute_capability, (Version{9, 0}));
  EXPECT_EQ(facts.driver->gpus[0].total_bytes, 150'000'000'000U);
  EXPECT_EQ(facts.driver->gpus[0].free_bytes, 140'000'000'000U);
  EXPECT_EQ(facts.libraries.back().version, "13.0.0");
}

TEST(Gpu, NoHardware) {
  FakeSystem system;
  expect(diagnosis_of(system), GpuProblem::kNoHardware, {"no NVIDIA GPU"});
  system.pci("0000:00:02.0", "0x8086", "0x030000");  // somebody else's
  system.pci("0000:01:00.1", "0x10de", "0x040300");  // a sound device
  expect(diagnosis_of(system), GpuProblem::kNoHardware, {});
}

TEST(Gpu, HardwareWithoutADriver) {
  FakeSystem system;
  system.pci("0000:65:00.0", "0x10de", "0x030000");
  expect(diagnosis_of(system), GpuProblem::kNoDriver, {"10de:2335", "0000:65:00.0", "nvidia-driver"});
}

TEST(Gpu, HardwareWithAnotherDriver) {
  FakeSystem system;
  system.pci("0000:65:00.0", "0x10de", "0x030000", "nouveau");
  expect(diagnosis_of(system), GpuProblem::kNoDriver, {"nouveau", "nvidia-driver"});
}

TEST(Gpu, DriverTooOldByItsOwnWord) {
  FakeSystem system;
  system.complete();
  system.module("550.54.14");
  system.driver("cuda=12040 count=1 major=9");
  expect(diagnosis_of(system), GpuProblem::kDriverTooOld, {"550.54.14", "12.4", "13.0", "580"});
}

TEST(Gpu, DriverWithoutItsLibrary) {
  FakeSystem system;
  system.complete();
  system.remove("usr/lib/x86_64-linux-gnu/libcuda.so.1");
  expect(diagnosis_of(system), GpuProblem::kDriverBroken, {"libcuda.so.1", "580.65.06", "usr/lib/x86_64-linux-gnu"});
}

TEST(Gpu, DriverWhoseLibraryIsNone) {
  FakeSystem system;
  system.complete();
  system.file("usr/lib/x86_64-linux-gnu/libcuda.so.1", "not an ELF file");
  expect(diagnosis_of(system), GpuProblem::kDriverBroken, {"libcuda.so.1", "reinstall"});
}

TEST(Gpu, DriverThatFails) {
  FakeSystem system;
  system.complete();
  system.driver("cuda=13000 init=803");
  expect(diagnosis_of(system), GpuProblem::kDriverBroken, {"different versions", "803", "restart"});
  system.driver("cuda=13000 init=100");
  expect(diagnosis_of(system), GpuProblem::kDriverBroken, {"100"});
}

TEST(Gpu, MissingLibrary) {
  FakeSystem system;
  system.complete();
  system.remove("usr/lib/x86_64-linux-gnu/libcublasLt.so.13");
  expect(diagnosis_of(system), GpuProblem::kLibraryMissing,
         {"libcublasLt.so.13", "usr/local/cuda/lib64", "cuBLAS of CUDA 13", "LD_LIBRARY_PATH"});
}

TEST(Gpu, LibraryOfAnotherVersion) {
  FakeSystem system;
  system.complete();
  system.remove("usr/lib/x86_64-linux-gnu/libcublasLt.so.13");
  system.library("libcublasLt.so", "12.4.5.8");
  expect(diagnosis_of(system), GpuProblem::kLibraryWrongVersion, {"libcublasLt.so.13", "libcublasLt.so.12", "CUDA 13"});
}

TEST(Gpu, LibrariesAreFoundWhereTheEnvironmentSays) {
  FakeSystem system;
  system.complete();
  system.remove("usr/lib/x86_64-linux-gnu/libcublasLt.so.13");
  system.library("libcublasLt.so", "13.1.0.3", "opt/cuda/lib");
  system.set("LD_LIBRARY_PATH", "/nowhere::/opt/cuda/lib");
  expect(diagnosis_of(system), GpuProblem::kNone, {});
}

TEST(Gpu, GpuTooOld) {
  FakeSystem system;
  system.complete();
  system.driver("cuda=13000 count=1 major=6 minor=1");
  expect(diagnosis_of(system), GpuProblem::kGpuTooOld, {"Fake 9000", "6.1", "7.5", "--device cpu"});
}

TEST(Gpu, NotEnoughMemory) {
  FakeSystem system;
  system.complete();
  system.driver("cuda=13000 count=1 major=9 total=12 free=2 pid=4242 held=9");
  system.file("proc/4242/comm", "python3\n");
  GpuNeeds needs{.bytes = 1'000'000'000, .photo_bytes = 100'000'000, .batch = 32};
  expect(diagnosis_of(system, needs), GpuProblem::kTooLittleMemory,
         {"2.0 GB of 12.0 GB", "4.2 GB", "python3 (4242) 9.0 GB", "--batch 10"});
  needs.batch = 10;
  expect(diagnosis_of(system, needs), GpuProblem::kNone, {});
  needs.bytes = 3'000'000'000;  // no batch fits
  expect(diagnosis_of(system, needs), GpuProblem::kTooLittleMemory, {"smaller network"});
}

TEST(Gpu, ContainerWithoutTheDevice) {
  for (const char* sign : {"docker", "podman", "variable"}) {
    FakeSystem system;
    system.pci("0000:65:00.0", "0x10de", "0x030200", "nvidia");
    if (sign == std::string("docker")) system.file(".dockerenv");
    if (sign == std::string("podman")) system.file("run/.containerenv");
    if (sign == std::string("variable")) system.set("container", "lxc");
    expect(diagnosis_of(system), GpuProblem::kNoDeviceInContainer, {"container", "--gpus all"});
    system.module("580.65.06");
    expect(diagnosis_of(system), GpuProblem::kNoDeviceInContainer, {"container"});
  }
}

TEST(Gpu, DriverWithoutDeviceFiles) {
  FakeSystem system;
  system.complete();
  system.remove("dev/nvidia0");
  expect(diagnosis_of(system), GpuProblem::kDriverBroken, {"/dev/nvidia0"});
}

TEST(Gpu, HiddenByTheEnvironment) {
  for (const char* value : {"", "-1", "NoDevFiles"}) {
    FakeSystem system;
    system.complete();
    system.set("CUDA_VISIBLE_DEVICES", value);
    expect(diagnosis_of(system), GpuProblem::kHidden, {"CUDA_VISIBLE_DEVICES", "unset"});
  }
  FakeSystem system;
  system.complete();
  system.set("CUDA_VISIBLE_DEVICES", "0");
  expect(diagnosis_of(system), GpuProblem::kNone, {});
}

TEST(Gpu, AGpuThatIsNotThere) {
  FakeSystem system;
  system.complete();
  system.set("CUDA_VISIBLE_DEVICES", "0");
  expect(diagnosis_of(system, {}, 3), GpuProblem::kNoSuchGpu, {"no GPU 3", "CUDA_VISIBLE_DEVICES=0", "cuda:0"});
}

TEST(Gpu, WindowsLinuxHasNoPciDevice) {
  FakeSystem system;
  system.file("dev/dxg");
  system.driver("cuda=13000 count=1 major=8 minor=9");
  expect(diagnosis_of(system), GpuProblem::kLibraryMissing, {"libcublasLt.so.13"});
}

TEST(Gpu, LookingForNoneTakesNoTime) {
  const SystemView system = this_system();
  if (!nvidia_gpus_on_pci(system).empty()) GTEST_SKIP() << "needs a machine without an NVIDIA GPU";
  double least = 1;
  for (int i = 0; i < 20; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    (void)probe_gpus(system);
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  EXPECT_LT(least, 0.005);
  RecordProperty("microseconds", static_cast<int>(least * 1e6));
}

TEST(Version, IsReadFromItsBeginning) {
  EXPECT_EQ(parse_version("580.65.06"), (Version{580, 65}));
  EXPECT_EQ(parse_version("9"), (Version{9, 0}));
  EXPECT_EQ(parse_version("12.x"), (Version{12, 0}));
  EXPECT_EQ(parse_version(""), std::nullopt);
  EXPECT_EQ(parse_version("driver 580"), std::nullopt);
  EXPECT_EQ(parse_version("99999999999999999999"), std::nullopt);
  EXPECT_LT((Version{12, 9}), (Version{13, 0}));
}

}  // namespace
}  // namespace fovea::hardware
