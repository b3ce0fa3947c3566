// SPDX-License-Identifier: Apache-2.0
#include "core/available_memory.h"

#include <gtest/gtest.h>

#include "support/machine_files.h"

namespace fovea {
namespace {

TEST(AvailableMemory, IsReadFromTheKernelsFiles) {
  const test::MachineFiles machine;
  EXPECT_EQ(total_memory(machine.root()), 0);
  EXPECT_EQ(available_memory(machine.root()), 0);
  machine.file("proc/meminfo", "MemTotal:  2000 kB\nMemFree:  10 kB\nMemAvailable:  1000 kB\n");
  EXPECT_EQ(total_memory(machine.root()), 2000 * 1024);
  EXPECT_EQ(available_memory(machine.root()), 1000 * 1024);
}

TEST(AvailableMemory, IsWhatTheControlGroupLeaves) {
  const test::MachineFiles machine;
  machine.file("proc/meminfo", "MemAvailable:  1000 kB\n");
  machine.file("sys/fs/cgroup/memory.max", "500000\n");
  machine.file("sys/fs/cgroup/memory.current", "200000\n");
  EXPECT_EQ(available_memory(machine.root()), 300'000);
  machine.file("sys/fs/cgroup/memory.max", "5000000000\n");
  EXPECT_EQ(available_memory(machine.root()), 1000 * 1024);
}

}  // namespace
}  // namespace fovea
