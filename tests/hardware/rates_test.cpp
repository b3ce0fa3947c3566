// SPDX-License-Identifier: Apache-2.0
#include "hardware/rates.h"

#include <gtest/gtest.h>
#include <omp.h>

#include "hardware/fake_system.h"
#include "hardware/processor.h"

namespace fovea::hardware {
namespace {

TEST(Rates, AreThoseOfAComputer) {
  // A product of matrices of 1536 is 7.2 GFLOP: one of the slowest machines of today takes half a minute, none a millisecond.
  // Elsewhere than on x86 it is less.
  const int usual = omp_get_max_threads();
  const double gemm = gemm_rate(1);
  EXPECT_GT(gemm, 0.2);
  EXPECT_LT(gemm, 10'000);
  EXPECT_EQ(omp_get_max_threads(), usual);
  const double copy = copy_rate(1);
  EXPECT_GT(copy, 0.1);
  EXPECT_LT(copy, 5000);
}

TEST(Processor, IsReadFromTheKernelsFiles) {
  test::FakeSystem system;
  EXPECT_EQ(processor_name(system.view()), "");
  system.file("proc/cpuinfo", "processor\t: 0\nmodel name\t: Fake Processor 3000\n");
  EXPECT_EQ(processor_name(system.view()), "Fake Processor 3000");
  system.file("proc/cpuinfo",
              "processor\t: 0\nCPU part\t: 0xd08\n\nHardware\t: BCM2835\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n");
  EXPECT_EQ(processor_name(system.view()), "Raspberry Pi 4 Model B Rev 1.4");
}

}  // namespace
}  // namespace fovea::hardware
