// Fovea: a machine made of files in a temporary folder, with or without GPUs, drivers and libraries.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "hardware/system_view.h"
#include "support/paths.h"

namespace fovea::hardware::test {

namespace fs = std::filesystem;

class FakeSystem {
 public:
  FakeSystem() { ::unsetenv("FAKE_GPU"); }

  [[nodiscard]] SystemView view() const {
    return {folder_.path(), [this](const char* name) -> std::optional<std::string> {
              const auto found = variables_.find(name);
              return found == variables_.end() ? std::nullopt : std::optional(found->second);
            }};
  }
  void set(const std::string& name, const std::string& value) { variables_[name] = value; }
  void file(const fs::path& path, const std::string& text = "") const {
    fs::create_directories((folder_.path() / path).parent_path());
    std::ofstream(folder_.path() / path) << text;
  }
  void remove(const fs::path& path) const { fs::remove(folder_.path() / path); }

  /// A device on PCI; `module`: the kernel module that drives it.
  void pci(const std::string& address, const std::string& vendor, const std::string& kind, const std::string& module = "") const {
    const fs::path device = "sys/bus/pci/devices/" + address;
    file(device / "vendor", vendor + "\n");
    file(device / "class", kind + "\n");
    file(device / "device", "0x2335\n");
    if (module.empty()) return;
    fs::create_directories(folder_.path() / ("sys/bus/pci/drivers/" + module));
    fs::create_directory_symlink(folder_.path() / ("sys/bus/pci/drivers/" + module), folder_.path() / device / "driver");
  }
  void module(const std::string& version) const {
    file("proc/driver/nvidia/version",
         "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  " + version + "  Release Build\n");
  }
  /// A library file with the link that the loader follows.
  void library(const std::string& stem, const std::string& version, const fs::path& in = "usr/lib/x86_64-linux-gnu") const {
    file(in / (stem + "." + version), "no real library");
    std::error_code ignored;
    fs::create_symlink(stem + "." + version, folder_.path() / in / (stem + "." + version.substr(0, version.find('.'))), ignored);
  }
  /// The fake driver's libraries, whose answers are `gpu`.
  void driver(const std::string& gpu) const {
    for (const char* name : {"libcuda.so.1", "libnvidia-ml.so.1"}) {
      const fs::path path = folder_.path() / "usr/lib/x86_64-linux-gnu" / name;
      fs::create_directories(path.parent_path());
      fs::remove(path);
      fs::copy_file(FAKE_DRIVER, path);
    }
    ::setenv("FAKE_GPU", gpu.c_str(), 1);
  }
  /// A machine on which everything is right.
  void complete() const {
    pci("0000:65:00.0", "0x10de", "0x030200", "nvidia");
    module("580.65.06");
    file("dev/nvidia0");
    driver("cuda=13000 count=1 major=9 total=150 free=140");
    library("libcublasLt.so", "13.0.0");
  }

 private:
  fovea::test::TemporaryFolder folder_;
  std::map<std::string, std::string> variables_;
};

}  // namespace fovea::hardware::test
