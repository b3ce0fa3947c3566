// SPDX-License-Identifier: Apache-2.0
#include "core/control_group.h"

#include <gtest/gtest.h>

#include <string>

#include "support/machine_files.h"

namespace fovea {
namespace {

class ControlGroup : public testing::Test {
 protected:
  void file(const std::filesystem::path& path, const std::string& text) const { machine_.file(path, text); }
  [[nodiscard]] std::optional<double> quota() const { return processor_quota(machine_.root()); }
  [[nodiscard]] std::optional<std::int64_t> memory() const { return memory_allowance(machine_.root()); }

 private:
  test::MachineFiles machine_;
};

TEST_F(ControlGroup, NothingIsLimitedWhereNothingIsSaid) {
  EXPECT_FALSE(quota());
  EXPECT_FALSE(memory());
  file("proc/self/cgroup", "0::/\n");
  file("sys/fs/cgroup/cpu.max", "max 100000\n");
  file("sys/fs/cgroup/memory.max", "max\n");
  file("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  file("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_FALSE(quota());
  EXPECT_FALSE(memory());
}

TEST_F(ControlGroup, AContainersOwnGroupIsTheRoot) {
  file("sys/fs/cgroup/cpu.max", "150000 100000\n");
  file("sys/fs/cgroup/memory.max", "500000\n");
  file("sys/fs/cgroup/memory.current", "200000\n");
  EXPECT_EQ(quota(), 1.5);
  EXPECT_EQ(memory(), 300'000);
  file("sys/fs/cgroup/memory.current", "600000\n");
  EXPECT_EQ(memory(), 0);
}

TEST_F(ControlGroup, FilesThatWereReadDoNotFillTheMemory) {
  file("sys/fs/cgroup/memory.max", "500000\n");
  file("sys/fs/cgroup/memory.current", "490000\n");
  file("sys/fs/cgroup/memory.stat", "anon 90000\nfile 400000\nactive_file 50000\ninactive_file 350000\n");
  EXPECT_EQ(memory(), 360'000);
}

TEST_F(ControlGroup, AServiceIsHeldToTheGroupsAboveIt) {
  file("proc/self/cgroup", "0::/system.slice/fovea.service\n");
  file("sys/fs/cgroup/system.slice/fovea.service/cpu.max", "200000 100000\n");
  file("sys/fs/cgroup/system.slice/fovea.service/memory.max", "max\n");
  EXPECT_EQ(quota(), 2);
  EXPECT_FALSE(memory());
  file("sys/fs/cgroup/system.slice/cpu.max", "50000 100000\n");
  file("sys/fs/cgroup/system.slice/memory.max", "1000000\n");
  file("sys/fs/cgroup/system.slice/memory.current", "400000\n");
  EXPECT_EQ(quota(), 0.5);
  EXPECT_EQ(memory(), 600'000);
}

TEST_F(ControlGroup, Version1HasAHierarchyForEachController) {
  file("proc/self/cgroup", "9:cpuset:/elsewhere\n4:memory:/user/photos\n3:cpu,cpuacct:/user/photos\n");
  file("sys/fs/cgroup/cpu,cpuacct/user/photos/cpu.cfs_quota_us", "300000\n");
  file("sys/fs/cgroup/cpu,cpuacct/user/photos/cpu.cfs_period_us", "100000\n");
  file("sys/fs/cgroup/memory/user/photos/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(quota(), 3);
  EXPECT_FALSE(memory());
  file("sys/fs/cgroup/memory/user/memory.limit_in_bytes", "800000\n");
  file("sys/fs/cgroup/memory/user/memory.usage_in_bytes", "500000\n");
  file("sys/fs/cgroup/memory/user/memory.stat", "inactive_file 7\ntotal_inactive_file 100000\n");
  EXPECT_EQ(memory(), 400'000);
}

TEST_F(ControlGroup, Version1InAContainerNamesAGroupThatIsNotShown) {
  file("proc/self/cgroup", "3:cpu,cpuacct:/docker/0123\n4:memory:/docker/0123\n");
  file("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "250000\n");
  file("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  file("sys/fs/cgroup/memory/memory.limit_in_bytes", "800000\n");
  EXPECT_EQ(quota(), 2.5);
  EXPECT_EQ(memory(), 800'000);
}

}  // namespace
}  // namespace fovea
