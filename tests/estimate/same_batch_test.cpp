// SPDX-License-Identifier: Apache-2.0
#include "estimate/same_batch.h"

#include <gtest/gtest.h>

#include "backend/registry.h"
#include "cuda_host/host_backend.h"
#include "model/registry.h"

namespace fovea::estimate {
namespace {

NetworkSpec small_spec() {
  NetworkSpec spec = find_architecture("mobilenet_v2_0.35")->spec;
  spec.height = spec.width = 32;
  return spec;
}

TEST(SameBatch, LiesOnTheDeviceSoThatItsWayThereIsNoPartOfAStep) {
  const auto device = test::make_cuda_host_backend();
  const auto source = SameBatch::create(*device, small_spec(), 2);
  ASSERT_TRUE(source.ok()) << source.error().message;
  training::StepBatch batch;
  (*source)->start_epoch(0, 0);
  ASSERT_TRUE(*(*source)->next(batch));
  ASSERT_NE(batch.resident, nullptr);
  std::vector<float> found(batch.input.size());
  device->memory()->download(reinterpret_cast<const std::byte*>(batch.resident), std::as_writable_bytes(std::span(found)));
  EXPECT_EQ(found, std::vector<float>(batch.input.begin(), batch.input.end()));
}

TEST(SameBatch, StaysWhereItIsOnAProcessor) {
  const auto cpu = make_backend("cpu").value();
  const auto source = SameBatch::create(*cpu, small_spec(), 2);
  ASSERT_TRUE(source.ok());
  training::StepBatch batch;
  (*source)->start_epoch(0, 0);
  ASSERT_TRUE(*(*source)->next(batch));
  EXPECT_EQ(batch.resident, nullptr);
  EXPECT_EQ(batch.input.size(), 2U * 32 * 32 * 3);
}

TEST(SameBatch, WhatMemoryDoesNotHoldIsAnError) {
  const auto device = test::make_cuda_host_backend({.memory_bytes = 1000});
  const auto source = SameBatch::create(*device, small_spec(), 2);
  ASSERT_FALSE(source.ok());
  EXPECT_EQ(source.error().kind, Error::Kind::kLimit);
}

}  // namespace
}  // namespace fovea::estimate
