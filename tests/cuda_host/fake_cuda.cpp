// SPDX-License-Identifier: Apache-2.0
#include "cuda_host/fake_cuda.h"

#include <cuda_runtime_api.h>

#include <cstdlib>
#include <cstring>
#include <thread>

#include "backend/cuda/kernels/host_stream.h"

namespace fovea::test {

FakeCuda& fake_cuda() {
  static FakeCuda fake;
  return fake;
}

namespace {

constexpr int kDevices = 2;

struct FakeStream : CUstream_st {
  int device = 0;
  bool recording = false;
  std::thread::id recorder;
};

thread_local int current_device = 0;
thread_local int recordings = 0;  // that this thread makes

FakeStream& of(cudaStream_t stream) { return *static_cast<FakeStream*>(stream); }

void fault(const char* function, const char* what) { fake_cuda().faults.push_back(std::string(function) + ": " + what); }

/// Whether it is to be done now.
bool is_done_now(const char* function, cudaStream_t stream) {
  if (of(stream).device != current_device) fault(function, "another device is current");
  if (of(stream).recording && of(stream).recorder != std::this_thread::get_id())
    fault(function, "becomes a part of what another thread records");
  return !of(stream).recording;
}

/// Handles of which nothing but their being is known.
template <class Handle>
cudaError_t make(Handle* out) {
  *out = reinterpret_cast<Handle>(std::malloc(1));
  return cudaSuccess;
}
template <class Handle>
cudaError_t destroy(Handle handle) {
  std::free(reinterpret_cast<void*>(handle));
  return cudaSuccess;
}

}  // namespace
}  // namespace fovea::test

using namespace fovea::test;  // NOLINT(google-build-using-namespace): what follows is CUDA's, in no namespace

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) { return *count = kDevices, cudaSuccess; }
cudaError_t cudaSetDevice(int device) { return current_device = device, cudaSuccess; }
cudaError_t cudaGetDevice(int* device) { return *device = current_device, cudaSuccess; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int /*device*/) {
  *properties = {};
  properties->major = 8;
  properties->l2CacheSize = 1 << 15;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int /*device*/) {
  *value = attribute == cudaDevAttrPageableMemoryAccessUsesHostPageTables && fake_cuda().reads_host_pages ? 1 : 0;
  return cudaSuccess;
}
const char* cudaGetErrorString(cudaError_t /*error*/) { return "a fault of the stand-in"; }
cudaError_t cudaGetLastError() { return cudaSuccess; }
cudaError_t cudaPeekAtLastError() { return cudaSuccess; }

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  if (flags != cudaStreamNonBlocking) fault("cudaStreamCreateWithFlags", "it would wait for the default stream");
  auto* made = new FakeStream;
  made->device = current_device;
  return *stream = made, cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) { return delete &of(stream), cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  ++fake_cuda().waits;
  if (of(stream).recording) fault("cudaStreamSynchronize", "ends what is recorded");
  return of(stream).recording ? cudaErrorStreamCaptureUnsupported : cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t /*event*/, unsigned /*flags*/) {
  (void)is_done_now("cudaStreamWaitEvent", stream);
  return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned /*flags*/) { return make(event); }
cudaError_t cudaEventDestroy(cudaEvent_t event) { return destroy(event); }
cudaError_t cudaEventRecord(cudaEvent_t /*event*/, cudaStream_t stream) {
  (void)is_done_now("cudaEventRecord", stream);
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** data, size_t bytes) {
  constexpr size_t kLine = 256;
  if (recordings > 0) return cudaErrorStreamCaptureUnsupported;
  *data = std::aligned_alloc(kLine, (bytes + kLine - 1) / kLine * kLine);
  std::memset(*data, 0xA5, bytes);
  return cudaSuccess;
}
cudaError_t cudaFree(void* data) { return std::free(data), cudaSuccess; }
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) { return *free = *total = size_t{1} << 30, cudaSuccess; }
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind /*kind*/, cudaStream_t stream) {
  if (is_done_now("cudaMemcpyAsync", stream)) std::memmove(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  if (is_done_now("cudaMemsetAsync", stream)) std::memset(to, value, bytes);
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  if (mode != cudaStreamCaptureModeThreadLocal) fault("cudaStreamBeginCapture", "other threads may not allocate");
  of(stream).recording = true;
  of(stream).recorder = std::this_thread::get_id();
  return ++recordings, cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  of(stream).recording = false;
  return --recordings, make(graph);
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* runnable, cudaGraph_t /*graph*/, unsigned long long /*flags*/) {
  return make(runnable);
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t /*runnable*/, cudaStream_t stream) {
  (void)is_done_now("cudaGraphLaunch", stream);
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return destroy(graph); }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t runnable) { return destroy(runnable); }

}  // extern "C"
