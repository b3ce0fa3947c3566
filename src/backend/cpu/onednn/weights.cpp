// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/onednn/weights.h"

#include "backend/cpu/onednn/parts.h"

namespace fovea::cpu::onednn {
namespace {

dnnl::reorder make_reorder(const dnnl::memory::desc& from, const dnnl::memory::desc& to) {
  const ThreadSetting single(1);
  return dnnl::reorder(dnnl::reorder::primitive_desc(engine(), from, engine(), to));
}

}  // namespace

WeightPacking::WeightPacking(const dnnl::memory::desc& from, const dnnl::memory::desc& to)
    : from_(from), to_(to), reorder_(make_reorder(from, to)) {}

void WeightPacking::run(const float* from, std::byte* to) const {
  const ThreadSetting single(1);
  dnnl::stream stream(engine());
  dnnl::memory source(from_, engine(), const_cast<float*>(from));
  dnnl::memory target(to_, engine(), to);
  reorder_.execute(stream, source, target);
}

}  // namespace fovea::cpu::onednn
