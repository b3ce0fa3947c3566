// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <vector>

#include "backend/memory.h"
#include "support/machine_files.h"

namespace fovea {
namespace {

constexpr std::size_t kMegabyte = 1'000'000;

TEST(HostMemory, ABlockThatTheMachineHasNoRoomForIsRefused) {
  const test::MachineFiles machine;
  const auto memory = host_memory(machine.root());
  const DeviceBuffer unknown(memory, 100 * kMegabyte);  // nothing is said about this machine
  EXPECT_FALSE(memory->free_bytes());
  machine.file("proc/meminfo", "MemAvailable:  80000 kB\n");
  EXPECT_EQ(memory->free_bytes(), 80'000U * 1024);
  const DeviceBuffer fits(memory, 50 * kMegabyte);
  EXPECT_THROW(DeviceBuffer(memory, 100 * kMegabyte), std::bad_alloc);
  machine.file("sys/fs/cgroup/memory.max", "40000000\n");
  EXPECT_THROW(DeviceBuffer(memory, 50 * kMegabyte), std::bad_alloc);
  const DeviceBuffer smaller(memory, 30 * kMegabyte);
}

TEST(HostMemory, SmallBlocksAreAlwaysTried) {
  const test::MachineFiles machine;
  machine.file("proc/meminfo", "MemAvailable:  1 kB\n");
  const DeviceBuffer small(host_memory(machine.root()), kMegabyte);
  EXPECT_EQ(small.size(), kMegabyte);
}

TEST(HostMemory, WhereThereIsLittleABlockIsTakenAtOnce) {
  const test::MachineFiles machine;
  const auto resident = [&] {
    const DeviceBuffer block(host_memory(machine.root()), 8 * kMegabyte);
    std::vector<unsigned char> pages(block.size() / static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + 1);
    EXPECT_EQ(::mincore(block.data(), block.size(), pages.data()), 0);
    return std::ranges::count_if(pages, [](unsigned char page) { return (page & 1U) != 0; });
  };
  machine.file("proc/meminfo", "MemAvailable:  8000000 kB\n");
  EXPECT_EQ(resident(), 0);
  machine.file("proc/meminfo", "MemAvailable:  1000000 kB\n");
  EXPECT_GT(resident(), 8 * static_cast<std::ptrdiff_t>(kMegabyte) / ::sysconf(_SC_PAGESIZE));
}

}  // namespace
}  // namespace fovea
