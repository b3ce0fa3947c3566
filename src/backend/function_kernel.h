// Fovea: a kernel from a function, for all that need no class of their own.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "backend/backend.h"

namespace fovea::cpu {

/// What a kernel says of itself.
struct Traits {
  std::string name;
  std::size_t packed_bytes = 0;
  std::size_t scratch_bytes = 0;
  std::optional<std::size_t> reusable_input;
};

struct NoPack {
  void operator()(const Arguments&) const {}
};

template <class Run, class Pack>
class FunctionKernel final : public Kernel {
 public:
  FunctionKernel(Traits traits, Run run, Pack pack) : traits_(std::move(traits)), run_(std::move(run)), pack_(std::move(pack)) {}

  void run(const Arguments& arguments) const override { run_(arguments); }
  void pack(const Arguments& arguments) const override { pack_(arguments); }
  [[nodiscard]] std::size_t packed_bytes() const override { return traits_.packed_bytes; }
  [[nodiscard]] std::size_t scratch_bytes() const override { return traits_.scratch_bytes; }
  [[nodiscard]] std::optional<std::size_t> reusable_input() const override { return traits_.reusable_input; }
  [[nodiscard]] std::string_view name() const override { return traits_.name; }

 private:
  Traits traits_;
  Run run_;
  Pack pack_;
};

template <class Run, class Pack = NoPack>
std::unique_ptr<Kernel> make_kernel(Traits traits, Run run, Pack pack = {}) {
  return std::make_unique<FunctionKernel<Run, Pack>>(std::move(traits), std::move(run), std::move(pack));
}

}  // namespace fovea::cpu
