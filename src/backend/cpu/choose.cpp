// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/choose.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "core/buffer.h"
#include "core/parallel.h"
#include "core/tuning.h"

namespace fovea::cpu {
namespace {

constexpr int kRounds = 5;
/// After which no further round begins: large layers need no repetition.
constexpr double kSeconds = 0.02;
/// By so much must another be faster than the fixed choice: less than that is the clock's.
constexpr double kGain = 0.97;
/// More than a core's own caches hold, in so many cores at most.
constexpr std::size_t kBytesBetween = std::size_t{2} << 20;
constexpr int kMostCaches = 16;

std::string name_of(const Setup& setup, std::string_view what, std::size_t count) {
  std::string name = fmt::format("{}, {} threads, {} ways", setup.kernel_name(what), setup.context.threads, count);
  for (std::size_t i = 0; i < setup.inputs(); ++i) name += fmt::format(" {}", to_string(setup.input(i)));
  return name;
}

/// Memory for one node and its candidates.
class Bench {
 public:
  Bench(const Setup& setup, std::size_t packed, std::size_t scratch)
      : context_(setup.context),
        packed_(packed),
        scratch_(scratch),
        other_(static_cast<std::size_t>(std::min(context_.threads, kMostCaches)) * kBytesBetween) {
    for (std::size_t i = 0; i < setup.inputs(); ++i) add(setup.input(i), inputs_);
    for (std::size_t i = 0; i < setup.node.outputs.size(); ++i) add(setup.output(i), outputs_);
    arguments_ = {inputs_, outputs_, scratch_.data(), packed_.data(), {}};
  }

  /// In a network other layers run in between, so weights come from further away than they would here.
  void forget() const {
    parallel_ranges(context_, static_cast<std::int64_t>(other_.size()), kBytesBetween,
                    [&](Range r) { std::fill(other_.data() + r.begin, other_.data() + r.end, std::byte{1}); });
  }
  double seconds(const Kernel& kernel) const {
    const auto begin = std::chrono::steady_clock::now();
    kernel.run(arguments_);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  void pack(const Kernel& kernel) const { kernel.pack(arguments_); }

 private:
  void add(const Shape& shape, std::vector<TensorView>& views) {
    memory_.emplace_back(std::max<std::size_t>(static_cast<std::size_t>(shape.elements()) * sizeof(float), 1));
    std::ranges::fill(memory_.back().floats(), 0.01F);  // no denormal numbers
    views.push_back({memory_.back().data(), shape, DType::kF32});
  }
  std::vector<Buffer> memory_;
  std::vector<TensorView> inputs_, outputs_;
  Context context_;
  Buffer packed_, scratch_, other_;
  Arguments arguments_;
};

/// The best of a few runs of each, in seconds.
std::vector<double> seconds_of(const Setup& setup, const std::vector<std::unique_ptr<Kernel>>& kernels) {
  std::size_t packed = 1, scratch = 1;
  for (const auto& kernel : kernels) {
    packed = std::max(packed, kernel->packed_bytes());
    scratch = std::max(scratch, kernel->scratch_bytes());
  }
  const Bench bench(setup, packed, scratch);
  std::vector<double> best(kernels.size(), 1e9);
  double spent = 0;
  for (int round = 0; round < kRounds && (round < 2 || spent < kSeconds); ++round) {
    for (std::size_t i = 0; i < kernels.size(); ++i) {  // by turns: all meet the same disturbances
      if (round == 0) bench.pack(*kernels[i]);
      bench.forget();
      const double seconds = bench.seconds(*kernels[i]);
      best[i] = std::min(best[i], seconds);
      spent += seconds;
    }
  }
  return best;
}

}  // namespace

std::unique_ptr<Kernel> choose(const Setup& setup, std::string_view what, std::size_t count,
                               const std::function<std::unique_ptr<Kernel>(std::size_t)>& make) {
  Tuning* const tuning = setup.context.tuning.get();
  if (tuning == nullptr || count < 2) return make(0);
  const std::string name = name_of(setup, what, count);
  if (const auto known = tuning->find(name); known && *known < count) return make(*known);
  if (!tuning->measures()) return make(0);
  std::vector<std::unique_ptr<Kernel>> kernels;
  for (std::size_t i = 0; i < count; ++i) kernels.push_back(make(i));
  const std::vector<double> seconds = seconds_of(setup, kernels);
  const auto best = static_cast<std::size_t>(std::ranges::min_element(seconds) - seconds.begin());
  const std::size_t chosen = seconds[best] < kGain * seconds[0] ? best : 0;
  setup.context.say(Severity::kDebug,
                    fmt::format("timed {}: {:.1f} us, way {}: {:.1f} us", name, seconds[0] * 1e6, chosen, seconds[chosen] * 1e6));
  tuning->keep(name, chosen);
  return std::move(kernels[chosen]);
}

}  // namespace fovea::cpu
