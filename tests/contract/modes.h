// Fovea: the ways in which every case is tested. Each fails, or skips, the running test.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "contract/subject.h"

namespace fovea::contract {

/// The backend's answer is the definition's, within the error that float computation allows; the same bits from run to run, with
/// 1, 2, 3 and 8 threads, in place or not, and nothing beside the outputs is written. Skips what the backend declines, by name.
void expect_equal_to_reference(const Backend& backend, const Case& source);

/// Backends that compute the same in another order give the same bits: so nothing that is computed side by side depends on
/// another.
void expect_same_bits(const Backend& one, const Backend& other, const Case& source);

/// The gradient that autodiff gives of the case, by definition, is that of finite differences.
void expect_gradient_of_finite_differences(const Case& source);

/// A backend prepares exactly what it says it supports, and declines the rest as kUnsupported; prints how many of the cases that
/// are.
void report_support(const Backend& backend, const std::vector<Case>& cases);

}  // namespace fovea::contract
