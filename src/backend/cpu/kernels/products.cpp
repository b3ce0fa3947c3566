// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/products.h"

#include "core/error.h"

namespace fovea::cpu {
namespace {

#if defined(__x86_64__) || defined(__i386__)
constexpr Products kUsual = Products::kOneDnn;
#else
constexpr Products kUsual = Products::kOwn;
#endif

}  // namespace

Result<Products> choose_products(std::string_view wanted) {
  if (wanted.empty()) return kUsual;
  if (wanted == "onednn") return Products::kOneDnn;
  if (wanted == "own") return Products::kOwn;
  return fail(Error::Kind::kUsage, "FOVEA_PRODUCTS: got '{}', expected onednn or own", wanted);
}

}  // namespace fovea::cpu
