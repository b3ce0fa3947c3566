// Fovea: how fast every op is. contract_speed [--backend NAME] [--threads N] [--constant-weights] [TEXT]: cases whose name holds
// TEXT. SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "backend/memory.h"
#include "backend/registry.h"
#include "contract/subject.h"

namespace fovea::contract {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLeastTime{200};
constexpr std::size_t kLeastRuns = 5;

/// The memory of one node, filled.
struct Operands {
  Operands(const Subject& subject, std::shared_ptr<Memory> of, const Kernel& kernel)
      : device(std::move(of)), scratch(device, kernel.scratch_bytes()), packed(device, kernel.packed_bytes()) {
    for (std::size_t i = 0; i < subject.inputs.size(); ++i) {
      const graph::ValueId id = subject.node().inputs[i];
      add(inputs, subject.graph, id);
      device->upload(stored(subject.inputs[i], subject.graph.dtype(id)), inputs.back().data);
    }
    for (const graph::ValueId id : subject.outputs) add(outputs, subject.graph, id);
  }
  void add(std::vector<TensorView>& views, const graph::Graph& graph, graph::ValueId id) {
    memory.emplace_back(device, graph.bytes(id));
    views.push_back({memory.back().data(), graph.shape(id), graph.dtype(id)});
    moved += static_cast<double>(graph.bytes(id));
  }
  [[nodiscard]] Arguments arguments(const RunState& state) const {
    return {inputs, outputs, scratch.data(), packed.data(), state};
  }

  std::shared_ptr<Memory> device;
  DeviceBuffer scratch;
  DeviceBuffer packed;
  std::vector<DeviceBuffer> memory;
  std::vector<TensorView> inputs;
  std::vector<TensorView> outputs;
  double moved = 0;  ///< bytes that must be read or written at least once
};

/// Seconds of one run: the fastest tells what the kernel can do, the median how busy the machine was.
struct Timing {
  double fastest;
  double median;
};

/// Of runs that together take kLeastTime.
Timing time_of(const Kernel& kernel, const Arguments& arguments, Memory& device) {
  kernel.pack(arguments);
  kernel.run(arguments);
  device.synchronise();
  std::vector<double> times;
  const auto start = Clock::now();
  while (times.size() < kLeastRuns || Clock::now() - start < kLeastTime) {
    const auto begin = Clock::now();
    kernel.run(arguments);
    device.synchronise();
    times.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  std::ranges::sort(times);
  return {times.front(), times[times.size() / 2]};
}

void report(const Backend& backend, const Context& context, const Case& source, bool constant_weights) {
  const Subject subject(source);
  const auto kernel = backend.prepare(context, subject.graph, subject.node(), constant_weights);
  if (!kernel) return fmt::print("{:<84} {}\n", source.name, kernel.error().message);
  const Operands operands(subject, backend.memory(), **kernel);
  const Timing time = time_of(**kernel, operands.arguments(subject.state), *operands.device);
  fmt::print("{:<84} {:>9.3f} ms (median {:>9.3f}) {:>7.1f} GFLOP/s {:>6.1f} GB/s  {}\n", source.name, 1e3 * time.fastest,
             1e3 * time.median, flops(subject.graph, subject.node()) / time.fastest * 1e-9, operands.moved / time.fastest * 1e-9,
             (*kernel)->name());
  std::fflush(stdout);
}

}  // namespace
}  // namespace fovea::contract

int main(int argc, char** argv) {
  std::string name = "cpu";
  std::string text;
  bool constant_weights = false;
  fovea::Context context;
  context.threads = fovea::available_processors();
  CLI::App app("Time of every op on layers of real networks, with the arithmetic and the least memory traffic a second");
  app.add_option("--backend", name, "which backend")->capture_default_str();
  app.add_option("--threads", context.threads, "how many threads")->capture_default_str();
  app.add_flag("--constant-weights", constant_weights, "weights packed once, as in use");
  app.add_flag("--deterministic", context.deterministic, "the same bits for any number of threads");
  app.add_option("text", text, "only cases whose name holds this");
  CLI11_PARSE(app, argc, argv);
  const auto backend = fovea::make_backend(name);
  if (!backend) return fmt::print(stderr, "{}\n", backend.error().message), 2;
  for (const auto* suite : fovea::contract::Suite::all()) {
    for (const auto& source : suite->speed_cases()) {
      if (source.name.find(text) != std::string::npos) fovea::contract::report(**backend, context, source, constant_weights);
    }
  }
  return 0;
}
