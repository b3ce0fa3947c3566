// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/onednn/weights.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "backend/cpu/onednn/parts.h"
#include "core/parallel.h"

namespace fovea::cpu::onednn {
namespace {

/// A slice begins where the blocks of every order that oneDNN chooses do.
constexpr std::int64_t kOutputs = 64;
/// Weights worth a slice.
constexpr std::int64_t kWeights = 32 * 1024;

std::int64_t elements(const dnnl::memory::dims& dims) {
  return std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
}

dnnl::reorder make_reorder(const dnnl::memory::desc& from, const dnnl::memory::desc& to) {
  const ThreadSetting single(1);
  return dnnl::reorder(dnnl::reorder::primitive_desc(engine(), from, engine(), to));
}

}  // namespace

WeightPacking::WeightPacking(const dnnl::memory::desc& from, const dnnl::memory::desc& to) : bytes_(to.get_size()) {
  const dnnl::memory::dims dims = from.dims();
  const std::int64_t outputs = dims[0];
  const std::int64_t outputs_each = std::max(kOutputs, kWeights * outputs / (elements(dims) * kOutputs) * kOutputs);
  for (std::int64_t first = 0; first < outputs && outputs % kOutputs == 0; first += outputs_each) {
    dnnl::memory::dims size = dims;
    size[0] = std::min(outputs_each, outputs - first);
    dnnl::memory::dims at(dims.size(), 0);
    at[0] = first;
    const auto part_from = from.submemory_desc(size, at, true), part_to = to.submemory_desc(size, at, true);
    if (part_from.is_zero() || part_to.is_zero()) break;  // an order that has no such part
    slices_.push_back({part_from, part_to, make_reorder(part_from, part_to)});
  }
  if (static_cast<std::int64_t>(slices_.size()) * outputs_each >= outputs) return;
  slices_.clear();
  slices_.push_back({from, to, make_reorder(from, to)});
}

void WeightPacking::run(const Context& context, const float* from, std::byte* to) const {
  parallel_for(context, static_cast<std::int64_t>(slices_.size()), [&](std::int64_t i) {
    const Slice& slice = slices_[static_cast<std::size_t>(i)];
    const ThreadSetting single(1);
    dnnl::stream stream(engine());
    dnnl::memory source(slice.from, engine(), const_cast<float*>(from));
    dnnl::memory target(slice.to, engine(), to);
    slice.reorder.execute(stream, source, target);
  });
}

}  // namespace fovea::cpu::onednn
