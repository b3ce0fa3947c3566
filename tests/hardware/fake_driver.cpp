// SPDX-License-Identifier: Apache-2.0
//
// Stands in for libcuda.so.1 and libnvidia-ml.so.1: what it answers comes from FAKE_GPU, "cuda=13000 init=0 count=1 major=9
// minor=0 total=150 free=140 pid=4242 held=5", sizes in GB; what is not named is 0.
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

long value_of(std::string_view name) {
  const char* all = std::getenv("FAKE_GPU");
  std::string_view text = all == nullptr ? "" : all;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (word.size() > name.size() && word.starts_with(name) && word[name.size()] == '=')
      return std::strtol(word.data() + name.size() + 1, nullptr, 10);
  }
  return 0;
}

unsigned long long gigabytes(std::string_view name) { return static_cast<unsigned long long>(value_of(name)) * 1'000'000'000ULL; }

struct Memory {
  unsigned long long total, free, used;
};
struct Process {
  unsigned pid;
  unsigned long long bytes;
  unsigned gpu_instance, compute_instance;
};

}  // namespace

extern "C" {

int cuInit(unsigned /*flags*/) { return static_cast<int>(value_of("init")); }
int cuDriverGetVersion(int* version) { return *version = static_cast<int>(value_of("cuda")), 0; }
int cuDeviceGetCount(int* count) { return *count = static_cast<int>(value_of("count")), 0; }
int cuDeviceGet(int* device, int index) { return *device = index, 0; }
int cuDeviceGetName(char* name, int size, int /*device*/) {
  return std::strncpy(name, "Fake 9000", static_cast<std::size_t>(size)), 0;
}
int cuDeviceGetAttribute(int* value, int attribute, int /*device*/) {
  return *value = static_cast<int>(value_of(attribute == 75 ? "major" : "minor")), 0;
}
int cuDeviceTotalMem_v2(std::size_t* bytes, int /*device*/) { return *bytes = gigabytes("total"), 0; }
int cuDeviceGetPCIBusId(char* address, int size, int /*device*/) {
  return std::strncpy(address, "0000:65:00.0", static_cast<std::size_t>(size)), 0;
}

int nvmlInit_v2() { return 0; }
int nvmlShutdown() { return 0; }
int nvmlDeviceGetHandleByPciBusId_v2(const char* address, void** device) {
  static int gpu = 0;
  *device = &gpu;
  return std::strcmp(address, "0000:65:00.0") == 0 ? 0 : 6;
}
int nvmlDeviceGetMemoryInfo(void* /*device*/, Memory* memory) {
  *memory = {gigabytes("total"), gigabytes("free"), gigabytes("total") - gigabytes("free")};
  return 0;
}
int nvmlDeviceGetComputeRunningProcesses_v3(void* /*device*/, unsigned* count, Process* processes) {
  if (value_of("pid") == 0) return *count = 0, 0;
  processes[0] = {static_cast<unsigned>(value_of("pid")), gigabytes("held"), 0, 0};
  return *count = 1, 0;
}

}  // extern "C"
