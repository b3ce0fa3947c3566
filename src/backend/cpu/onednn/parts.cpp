// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/onednn/parts.h"

#include <omp.h>

#include <algorithm>
#include <cassert>

#include "backend/cpu/kernels/bf16/round.h"
#include "core/parallel.h"

namespace fovea::cpu::onednn {

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

ThreadSetting::ThreadSetting(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }
ThreadSetting::~ThreadSetting() { omp_set_num_threads(before_); }

std::int64_t equal_parts(std::int64_t units, std::int64_t wanted) {
  for (std::int64_t count = wanted; 2 * count >= wanted && count > 0; --count) {
    if (units % count == 0) return count;
  }
  return wanted;
}

dnnl::memory::desc dense(const dnnl::memory::dims& dims, dnnl::memory::format_tag tag, dnnl::memory::data_type type) {
  return {dims, type, tag};
}

dnnl::primitive_attr attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

namespace {

/// Of a number as it lies in memory.
std::int64_t size_of(const Operand& operand) {
  return operand.rounded ? std::int64_t{sizeof(float)}
                         : static_cast<std::int64_t>(dnnl::memory::data_type_size(operand.desc.data_type()));
}

}  // namespace

void Parts::add(const dnnl::primitive& primitive, const dnnl::memory::desc& scratchpad, std::initializer_list<Operand> operands) {
  assert(operands.size() < kMaxOperands);
  Part part{primitive, dnnl::stream(engine()), {}, 0, {}, dnnl::memory(scratchpad, engine(), nullptr)};
  std::size_t scratch = align_up(scratchpad.get_size());
  for (const Operand& operand : operands) {
    dnnl::memory memory(operand.desc, engine(), nullptr);
    part.arguments[static_cast<std::size_t>(part.count++)] = {operand.argument, memory.get()};
    const std::size_t rounded = operand.rounded ? operand.desc.get_size() / sizeof(bf16::Bf16) : 0;
    scratch += align_up(rounded * sizeof(bf16::Bf16));
    part.operands.push_back(
        {std::move(memory), operand.base, operand.offset * size_of(operand), static_cast<std::int64_t>(rounded)});
  }
  part.arguments[static_cast<std::size_t>(part.count++)] = {DNNL_ARG_SCRATCHPAD, part.scratchpad.get()};
  scratch_each_ = std::max(scratch_each_, scratch);
  parts_.push_back(std::move(part));
}

int Parts::threads(const Context& context) const {
  return static_cast<int>(
      std::clamp<std::size_t>(static_cast<std::size_t>(context.threads), 1, std::max<std::size_t>(parts_.size(), 1)));
}

std::size_t Parts::scratch_bytes(const Context& context) const {
  return scratch_each_ * static_cast<std::size_t>(threads(context));
}

void Parts::run(const Context& context, std::span<std::byte* const> bases, std::byte* scratch) const {
  // As many workers at most as threads() says, each with scratch of its own.
  parallel_for(context, static_cast<std::int64_t>(parts_.size()), [&](std::int64_t i, int worker) {
    const ThreadSetting single(1);  // of this thread alone: should a primitive ask for threads, it gets one
    std::byte* own_scratch = scratch + static_cast<std::size_t>(worker) * scratch_each_;
    const Part& part = parts_[static_cast<std::size_t>(i)];
    std::byte* copies = own_scratch + align_up(part.scratchpad.get_desc().get_size());
    for (const Bound& operand : part.operands) {
      std::byte* const data = bases[operand.base] + operand.offset;
      if (operand.rounded == 0) {
        operand.memory.set_data_handle(data, part.stream);
        continue;
      }
      auto* const copy = reinterpret_cast<bf16::Bf16*>(copies);
      bf16::round(reinterpret_cast<const float*>(data), operand.rounded, copy);
      operand.memory.set_data_handle(copy, part.stream);
      copies += align_up(static_cast<std::size_t>(operand.rounded) * sizeof(bf16::Bf16));
    }
    part.scratchpad.set_data_handle(own_scratch, part.stream);
    [[maybe_unused]] const dnnl_status_t status =
        dnnl_primitive_execute(part.primitive.get(), part.stream.get(), part.count, part.arguments.data());
    assert(status == dnnl_success);
  });
}

}  // namespace fovea::cpu::onednn
