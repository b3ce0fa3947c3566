// SPDX-License-Identifier: Apache-2.0
//
// The few functions and numbers of the driver's interface are declared here as NVIDIA documents them (CUDA Driver API, NVML), so
// that no toolkit is needed to build.
#include "hardware/cuda_driver.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/shared_library.h"

namespace fovea::hardware {
namespace {

constexpr int kCapabilityMajor = 75;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
constexpr int kCapabilityMinor = 76;
constexpr int kMostGpus = 64;

std::string meaning_of(int code) {
  switch (code) {
    case 3: return "the driver is not initialised (CUDA error 3)";
    case 100: return "no GPU that this process may use (CUDA error 100)";
    case 304: return "the system refuses access to the GPU (CUDA error 304)";
    case 802: return "the system is not ready, such as a fabric manager that does not run (CUDA error 802)";
    case 803: return "the driver's kernel module and library are of different versions (CUDA error 803)";
    case 999: return "an unknown error, often after an update without a restart (CUDA error 999)";
    default: return fmt::format("CUDA error {}", code);
  }
}

/// NVML: memory and processes, which the driver tells only after minutes of work have begun on the GPU.
class Management {
 public:
  explicit Management(const std::filesystem::path& path) {
    if (path.empty()) return;
    const auto library = SharedLibrary::open(path);
    if (!library) return;
    const auto initialise = library->find<int()>("nvmlInit_v2");
    shut_down_ = library->find<int()>("nvmlShutdown");
    by_address_ = library->find<int(const char*, void**)>("nvmlDeviceGetHandleByPciBusId_v2");
    memory_ = library->find<int(void*, Memory*)>("nvmlDeviceGetMemoryInfo");
    processes_ = library->find<int(void*, unsigned*, Process*)>("nvmlDeviceGetComputeRunningProcesses_v3");
    ready_ = initialise != nullptr && by_address_ != nullptr && memory_ != nullptr && initialise() == 0;
  }
  Management(const Management&) = delete;
  Management& operator=(const Management&) = delete;
  ~Management() {
    if (ready_ && shut_down_ != nullptr) shut_down_();
  }

  void tell(DriverGpu& gpu) const {
    void* device = nullptr;
    if (!ready_ || by_address_(gpu.address.c_str(), &device) != 0) return;
    Memory memory{};
    if (memory_(device, &memory) == 0) gpu.free_bytes = memory.free;
    std::array<Process, 64> held{};
    auto count = static_cast<unsigned>(held.size());
    if (processes_ == nullptr || processes_(device, &count, held.data()) != 0) return;
    for (unsigned i = 0; i < std::min<unsigned>(count, held.size()); ++i) gpu.processes.push_back({held[i].pid, held[i].bytes});
    std::ranges::sort(gpu.processes, std::ranges::greater(), &GpuProcess::bytes);
  }

 private:
  struct Memory {
    unsigned long long total, free, used;
  };
  struct Process {
    unsigned pid;
    unsigned long long bytes;
    unsigned gpu_instance, compute_instance;
  };
  int (*shut_down_)() = nullptr;
  int (*by_address_)(const char*, void**) = nullptr;
  int (*memory_)(void*, Memory*) = nullptr;
  int (*processes_)(void*, unsigned*, Process*) = nullptr;
  bool ready_ = false;
};

struct Driver {
  int (*initialise)(unsigned);
  int (*version)(int*);
  int (*count)(int*);
  int (*device)(int*, int);
  int (*name)(char*, int, int);
  int (*attribute)(int*, int, int);
  int (*memory)(std::size_t*, int);
  int (*address)(char*, int, int);

  static Result<Driver> of(const SharedLibrary& library) {
    Driver driver{};
    FunctionFinder find(library);
    find(driver.initialise, "cuInit");
    find(driver.version, "cuDriverGetVersion");
    find(driver.count, "cuDeviceGetCount");
    find(driver.device, "cuDeviceGet");
    find(driver.name, "cuDeviceGetName");
    find(driver.attribute, "cuDeviceGetAttribute");
    find(driver.memory, "cuDeviceTotalMem_v2");
    find(driver.address, "cuDeviceGetPCIBusId");
    FOVEA_TRY(find.found_all("NVIDIA's driver has"));
    return driver;
  }
};

int describe(const Driver& driver, int index, DriverGpu& gpu) {
  int device = 0;
  std::array<char, 256> name{};
  std::array<char, 32> address{};
  std::size_t bytes = 0;
  if (const int code = driver.device(&device, index)) return code;
  if (const int code = driver.name(name.data(), static_cast<int>(name.size() - 1), device)) return code;
  if (const int code = driver.attribute(&gpu.compute_capability.major, kCapabilityMajor, device)) return code;
  if (const int code = driver.attribute(&gpu.compute_capability.minor, kCapabilityMinor, device)) return code;
  if (const int code = driver.memory(&bytes, device)) return code;
  if (const int code = driver.address(address.data(), static_cast<int>(address.size() - 1), device)) return code;
  gpu.name = printable(name.data());
  gpu.address = printable(address.data());
  gpu.total_bytes = bytes;
  return 0;
}

}  // namespace

Result<DriverAnswer> ask_driver(const std::filesystem::path& path, const std::filesystem::path& management_path) {
  FOVEA_ASSIGN(const SharedLibrary library, SharedLibrary::open(path));
  FOVEA_ASSIGN(const Driver driver, Driver::of(library));
  DriverAnswer answer;
  int version = 0;
  if (driver.version(&version) == 0) answer.cuda = {version / 1000, version % 1000 / 10};
  int count = 0;
  int code = driver.initialise(0);
  if (code == 0) code = driver.count(&count);
  if (code != 0) {
    answer.trouble = meaning_of(code);
    return answer;
  }
  const Management management(management_path);
  for (int index = 0; index < std::min(count, kMostGpus); ++index) {
    DriverGpu gpu;
    code = describe(driver, index, gpu);
    if (code != 0) {
      answer.trouble = meaning_of(code);
      return answer;
    }
    management.tell(gpu);
    answer.gpus.push_back(std::move(gpu));
  }
  return answer;
}

}  // namespace fovea::hardware
