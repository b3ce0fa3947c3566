// Fovea: one op as a fixed number of oneDNN executions, each for one thread, dealt out to the context's threads. The number and
// the shapes of the parts do not depend on the threads, so neither do the bits.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <oneapi/dnnl/dnnl.hpp>
#include <span>
#include <vector>

#include "core/buffer.h"
#include "core/context.h"

namespace fovea::cpu::onednn {

[[nodiscard]] const dnnl::engine& engine();

/// The number of threads for oneDNN objects created or executed while it lives: oneDNN asks OpenMP for it.
class ThreadSetting {
 public:
  explicit ThreadSetting(int threads);
  ~ThreadSetting();
  ThreadSetting(const ThreadSetting&) = delete;
  ThreadSetting& operator=(const ThreadSetting&) = delete;

 private:
  int before_;
};

/// The largest number of equal parts of `units`, at most `wanted` and at least half of it; `wanted` where there is none. Parts of
/// one shape share what oneDNN compiles for it.
[[nodiscard]] std::int64_t equal_parts(std::int64_t units, std::int64_t wanted);

/// Dense in the order of `tag`.
[[nodiscard]] dnnl::memory::desc dense(const dnnl::memory::dims& dims, dnnl::memory::format_tag tag,
                                       dnnl::memory::data_type type = dnnl::memory::data_type::f32);
/// Scratchpads are the caller's.
[[nodiscard]] dnnl::primitive_attr attributes();

/// Where an operand of a part lies: `base` is an index into the pointers given to run().
struct Operand {
  int argument;  ///< DNNL_ARG_...
  dnnl::memory::desc desc;
  std::size_t base;
  std::int64_t offset;   ///< in numbers
  bool rounded = false;  ///< floats lie there, of which the part is given copies in bf16
};

class Parts {
 public:
  static constexpr std::size_t kMaxOperands = 6;

  void add(const dnnl::primitive& primitive, const dnnl::memory::desc& scratchpad, std::initializer_list<Operand> operands);

  [[nodiscard]] std::size_t size() const { return parts_.size(); }
  /// Scratch for the number of threads that the parts can keep busy.
  [[nodiscard]] std::size_t scratch_bytes(const Context& context) const;
  void run(const Context& context, std::span<std::byte* const> bases, std::byte* scratch) const;

 private:
  struct Bound {
    dnnl::memory memory;
    std::size_t base;
    std::int64_t offset;   ///< in bytes
    std::int64_t rounded;  ///< numbers that are, or 0
  };
  struct Part {
    dnnl::primitive primitive;
    dnnl::stream stream;
    std::array<dnnl_exec_arg_t, kMaxOperands> arguments;
    int count;
    std::vector<Bound> operands;
    dnnl::memory scratchpad;
  };
  [[nodiscard]] int threads(const Context& context) const;

  std::vector<Part> parts_;
  std::size_t scratch_each_ = 0;
};

}  // namespace fovea::cpu::onednn
