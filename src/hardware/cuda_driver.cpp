// SPDX-License-Identifier: Apache-2.0
//
// The few functions and numbers of the driver's interface are declared here as NVIDIA documents them (CUDA Driver API, NVML), so
// that no toolkit is needed to build.
#include "hardware/cuda_driver.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <memory>

#include "core/error.h"

namespace fovea::hardware {
namespace {

constexpr int kCapabilityMajor = 75;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
constexpr int kCapabilityMinor = 76;
constexpr int kMostGpus = 64;
// Never unloaded: the driver's library starts threads of its own.
constexpr int kHow = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;

struct Close {
  void operator()(void* library) const { ::dlclose(library); }
};
using Library = std::unique_ptr<void, Close>;

/// Null where the library has none of that name.
template <class Function>
Function* function(const Library& library, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(library.get(), name));
}

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
    library_.reset(::dlopen(path.c_str(), kHow));
    if (!library_) return;
    const auto initialise = function<int()>(library_, "nvmlInit_v2");
    by_address_ = function<int(const char*, void**)>(library_, "nvmlDeviceGetHandleByPciBusId_v2");
    memory_ = function<int(void*, Memory*)>(library_, "nvmlDeviceGetMemoryInfo");
    processes_ = function<int(void*, unsigned*, Process*)>(library_, "nvmlDeviceGetComputeRunningProcesses_v3");
    ready_ = initialise != nullptr && by_address_ != nullptr && memory_ != nullptr && initialise() == 0;
  }
  Management(const Management&) = delete;
  Management& operator=(const Management&) = delete;
  ~Management() {
    const auto shut_down = ready_ ? function<int()>(library_, "nvmlShutdown") : nullptr;
    if (shut_down != nullptr) shut_down();
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
  Library library_;
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

  explicit Driver(const Library& library)
      : initialise(function<int(unsigned)>(library, "cuInit")),
        version(function<int(int*)>(library, "cuDriverGetVersion")),
        count(function<int(int*)>(library, "cuDeviceGetCount")),
        device(function<int(int*, int)>(library, "cuDeviceGet")),
        name(function<int(char*, int, int)>(library, "cuDeviceGetName")),
        attribute(function<int(int*, int, int)>(library, "cuDeviceGetAttribute")),
        memory(function<int(std::size_t*, int)>(library, "cuDeviceTotalMem_v2")),
        address(function<int(char*, int, int)>(library, "cuDeviceGetPCIBusId")) {}
  [[nodiscard]] bool complete() const {
    return initialise && version && count && device && name && attribute && memory && address;
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
  const Library library(::dlopen(path.c_str(), kHow));
  if (!library) {
    const char* why = ::dlerror();
    return fail(Error::Kind::kUnsupported, "{}: cannot be opened: {}", path.string(), why == nullptr ? "no reason given" : why);
  }
  const Driver driver(library);
  if (!driver.complete()) return fail(Error::Kind::kUnsupported, "{}: is no CUDA driver library", path.string());
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
