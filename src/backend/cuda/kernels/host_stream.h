// Fovea: what a stream is where kernels run on the host.
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Kernels whose indices depend on each other show it by other bits in another order.
struct CUstream_st {  // NOLINT(readability-identifier-naming): CUDA's name
  enum class Order { kForward, kBackward, kScattered };
  Order order = Order::kForward;
};
