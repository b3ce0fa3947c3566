// What the backend asks of CUDA and cuBLASLt, where a stand-in answers for both.
// SPDX-License-Identifier: Apache-2.0
#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <future>

#include "backend/cuda/backend.h"
#include "backend/cuda/gpu/blas_products.h"
#include "backend/cuda/gpu/gpu_machine.h"
#include "backend/cuda/gpu/gpu_memory.h"
#include "core/rng.h"
#include "cuda_host/fake_cuda.h"
#include "runtime/executor.h"

namespace fovea {
namespace {

using cuda::Number;
using cuda::ProductShape;
using test::fake_cuda;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

class CudaGpu : public testing::Test {
 protected:
  CudaGpu() {
    fake_cuda() = {};
    (void)cudaSetDevice(0);
  }
  ~CudaGpu() override { EXPECT_THAT(fake_cuda().faults, IsEmpty()); }
};

std::int64_t bytes_of(Number number) { return number == Number::kBF16 || number == Number::kFP16 ? 2 : 4; }

/// Numbers of `count` elements, small ones.
std::vector<std::byte> random(Rng& rng, Number number, std::int64_t count) {
  std::vector<std::byte> made(static_cast<std::size_t>(count * bytes_of(number)));
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = rng.normal();
    switch (number) {
      case Number::kF32: reinterpret_cast<float*>(made.data())[i] = value; break;
      case Number::kTF32: reinterpret_cast<cuda::Tf32*>(made.data())[i] = cuda::narrow<cuda::Tf32>(value); break;
      case Number::kBF16: reinterpret_cast<cuda::Bf16*>(made.data())[i] = cuda::narrow<cuda::Bf16>(value); break;
      case Number::kFP16: reinterpret_cast<cuda::Fp16*>(made.data())[i] = cuda::narrow<cuda::Fp16>(value); break;
    }
  }
  return made;
}

/// Runs a product by the library and by the plain kernel: the same bits.
void expect_plain(cuda::BlasProducts& products, const ProductShape& shape, bool adds, bool in_place) {
  SCOPED_TRACE(testing::Message() << "transposed " << shape.a_transposed << shape.b_transposed << ", operands "
                                  << static_cast<int>(shape.operands) << ", result " << static_cast<int>(shape.result)
                                  << ", bias " << shape.bias << ", adds " << adds << in_place);
  Rng rng(7);
  const auto a = random(rng, shape.operands, (shape.a_transposed ? shape.k : shape.m) * shape.a_stride);
  const auto b = random(rng, shape.operands, (shape.b_transposed ? shape.n : shape.k) * shape.b_stride);
  const auto bias = random(rng, Number::kF32, shape.n);
  const auto addend = random(rng, shape.result, shape.m * shape.c_stride);
  auto product = products.prepare(shape);
  ASSERT_TRUE(product.ok()) << product.error().message;
  CUstream_st stream;
  std::vector<std::byte> by_library = addend, plain = addend;
  const auto of = [&](std::vector<std::byte>& c) -> const void* { return !adds ? nullptr : in_place ? c.data() : addend.data(); };
  const auto* biases = shape.bias ? reinterpret_cast<const float*>(bias.data()) : nullptr;
  (*product)->run(&stream, a.data(), b.data(), biases, of(by_library), by_library.data());
  cuda::plain_product(&stream, shape, a.data(), b.data(), biases, of(plain), plain.data());
  if (shape.result == Number::kTF32) {  // which is read rounded, however it came
    for (std::size_t i = 0; i < by_library.size(); i += sizeof(float)) {
      auto* value = reinterpret_cast<cuda::Tf32*>(by_library.data() + i);
      value->value = cuda::widen(*value);
    }
  }
  EXPECT_TRUE(by_library == plain) << "other bits";
}

void expect_all_plain() {
  cuda::BlasProducts products(std::make_shared<cuda::GpuMemory>(0));
  for (const Number operands : {Number::kF32, Number::kTF32, Number::kBF16, Number::kFP16}) {
    for (const Number result : {Number::kF32, operands}) {
      for (int bits = 0; bits < 32; ++bits) {
        const bool a_transposed = (bits & 1) != 0, b_transposed = (bits & 2) != 0, bias = (bits & 4) != 0;
        if (bias && result != Number::kF32) continue;
        ProductShape shape{.m = 5, .n = 8, .k = 3, .a_transposed = a_transposed, .b_transposed = b_transposed};
        shape.a_stride = (a_transposed ? shape.m : shape.k) + 2;
        shape.b_stride = (b_transposed ? shape.k : shape.n) + 3;
        shape.c_stride = shape.n + (bias ? 0 : 4);
        shape.operands = operands;
        shape.result = result;
        shape.bias = bias;
        expect_plain(products, shape, (bits & 8) != 0 && !bias, (bits & 16) != 0);
      }
    }
  }
}

TEST_F(CudaGpu, ProductsAreAskedForAsTheLibraryCounts) { expect_all_plain(); }

TEST_F(CudaGpu, ABiasIsAddedWhereTheLibraryHasNone) {
  fake_cuda().has_bias_epilogue = false;
  expect_all_plain();
}

TEST_F(CudaGpu, RowsAreNoMoreAlignedThanTheyAre) {
  cuda::BlasProducts products(std::make_shared<cuda::GpuMemory>(0));
  const ProductShape shape{.m = 4, .n = 8, .k = 6, .a_stride = 6, .b_stride = 16, .c_stride = 9, .operands = Number::kBF16};
  ASSERT_TRUE(products.prepare(shape).ok());
  EXPECT_THAT(fake_cuda().alignments, ElementsAre(32, 4, 4, 4));  // b, a, and c twice
}

TEST_F(CudaGpu, PartialSumsAreOf32BitsAndNotAddedInPlace) {
  cuda::BlasProducts products(std::make_shared<cuda::GpuMemory>(0));
  ProductShape shape{.m = 4, .n = 8, .k = 8, .a_stride = 8, .b_stride = 8, .c_stride = 8, .operands = Number::kFP16};
  ASSERT_TRUE(products.prepare(shape).ok());
  EXPECT_EQ(fake_cuda().reductions,
            static_cast<unsigned>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE | CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE));
  shape.result = Number::kFP16;
  ASSERT_TRUE(products.prepare(shape).ok());
  EXPECT_EQ(fake_cuda().reductions, static_cast<unsigned>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
}

TEST_F(CudaGpu, MemoryIsClearedWhileAnotherThreadRecords) {
  const auto machine = cuda::make_gpu_machine(1);
  std::byte* made = nullptr;
  const auto recorded =
      machine->recorder()->record([&] { std::async(std::launch::async, [&] { made = machine->memory()->allocate(64); }).get(); });
  EXPECT_TRUE(recorded.ok());
  EXPECT_THAT(std::span(made, 64), Each(std::byte{0}));
  machine->memory()->free(made, 64);
}

TEST_F(CudaGpu, ASecondDeviceIsChosenBeforeAnythingIsAskedOfIt) {
  const auto backend = cuda::make_backend(cuda::make_gpu_machine(1));
  graph::Graph graph;
  const auto logits =
      graph.add(graph::Linear{}, {graph.input("x", {1, 2}), graph.parameter("w", {2, 2}), graph.parameter("b", {2})});
  graph.mark_output("y", logits);
  (void)cudaSetDevice(0);
  const auto plan = Plan::make({}, graph, *backend);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  Executor executor(*plan);
  std::array<float, 2> x{1, 2}, b{5, 6};
  std::array<float, 4> w{3, 4, 0, 1};
  executor.bind("x", x.data());
  executor.bind("w", w.data());
  executor.bind("b", b.data());
  (void)cudaSetDevice(0);
  executor.run();
  (void)cudaSetDevice(0);
  EXPECT_THAT(executor.output("y").floats(), ElementsAre(16.0F, 8.0F));
  executor.run();
  EXPECT_TRUE(executor.recorded()) << executor.why_not_recorded();
  executor.wait();
}

TEST_F(CudaGpu, UploadsHaveReadTheirSource) {
  for (const bool reads_host_pages : {false, true}) {
    fake_cuda().reads_host_pages = reads_host_pages;
    cuda::GpuMemory memory(0);
    std::byte* target = memory.allocate(8);
    fake_cuda().waits = 0;
    const std::array<std::byte, 8> source{};
    memory.upload(source, target);
    memory.upload_beside(source, target);
    EXPECT_EQ(fake_cuda().waits, reads_host_pages ? 2 : 0);
    memory.free(target, 8);
  }
}

}  // namespace
}  // namespace fovea
