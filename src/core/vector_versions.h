// Fovea: the versions of a function that Highway compiles, one for each VectorTarget.
// SPDX-License-Identifier: Apache-2.0
//
// HWY_EXPORT and HWY_DYNAMIC_DISPATCH do the same by Highway's library, which measures the processor's clock whenever it is
// loaded: four milliseconds of every start. Fovea uses Highway's headers alone.
#pragma once

// After foreach_target.h, as Highway wants its own header.
#include "core/vector_target.h"
#include "hwy/highway.h"

/// A table of FUNCTION's versions. Stands where HWY_ONCE, in the namespace around HWY_NAMESPACE.
#define FOVEA_VERSIONS(FUNCTION) \
  static decltype(&HWY_STATIC_DISPATCH(FUNCTION)) const FUNCTION##_versions[] = {FOVEA_LIST_VERSIONS(FUNCTION)}
/// A pointer to the version for `target`.
#define FOVEA_VERSION(FUNCTION, target) (FUNCTION##_versions[(target).index()])

#if (HWY_TARGETS & (HWY_TARGETS - 1)) == 0
#define FOVEA_LIST_VERSIONS(FUNCTION) &HWY_STATIC_DISPATCH(FUNCTION)
#else
#define FOVEA_LIST_VERSIONS(FUNCTION) HWY_CHOOSE_TARGET_LIST(FUNCTION), HWY_CHOOSE_FALLBACK(FUNCTION)
#endif
