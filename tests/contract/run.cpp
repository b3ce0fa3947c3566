// SPDX-License-Identifier: Apache-2.0
#include "contract/run.h"

#include <gtest/gtest.h>

#include <cstring>

#include "contract/guarded.h"

namespace fovea::contract {
namespace {

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

/// The memory of one node and the kernel that works on it.
class Bench {
 public:
  Bench(const Subject& subject, const std::shared_ptr<Memory>& memory, const Kernel& kernel, bool in_place)
      : subject_(subject), kernel_(kernel), scratch_(memory, kernel.scratch_bytes()), packed_(memory, kernel.packed_bytes()) {
    reused_ = in_place ? kernel.reusable_input() : std::nullopt;
    for (std::size_t i = 0; i < subject.inputs.size(); ++i) {
      stored_.push_back(stored(subject.inputs[i], type_of_input(i)));
      inputs_.emplace_back(memory, reused_ == i ? std::max(stored_[i].size(), bytes_of(0)) : stored_[i].size());
    }
    for (std::size_t i = 0; i < subject.outputs.size(); ++i) outputs_.emplace_back(memory, bytes_of(i));
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      input_views_.push_back({inputs_[i].data(), subject.graph.shape(subject.node().inputs[i]), type_of_input(i)});
    }
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      std::byte* data = i == 0 && reused_ ? inputs_[*reused_].data() : outputs_[i].data();
      output_views_.push_back({data, subject.graph.shape(subject.outputs[i]), subject.graph.dtype(subject.outputs[i])});
    }
  }

  /// Packs weights that are all zero, then the real ones: a kernel that keeps anything of the first shows.
  void pack() {
    for (const bool real : {false, true}) {
      for (std::size_t i = 0; i < inputs_.size(); ++i) {
        const bool valid = subject_.graph.value(subject_.node().inputs[i]).role != graph::Role::kInput;
        inputs_[i].poison();
        if (valid) inputs_[i].set(real ? stored_[i] : std::vector<std::byte>(stored_[i].size()));
      }
      scratch_.poison();
      on_device([&] { kernel_.pack(arguments()); });
    }
  }

  std::vector<Floats> run() {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      outputs_[i].poison();
      if (!subject_.states.empty()) outputs_[i].set(std::as_bytes(std::span(subject_.states[i])));
    }
    for (std::size_t i = 0; i < inputs_.size(); ++i) inputs_[i].set(stored_[i]);
    scratch_.poison();
    on_device([&] { kernel_.run(arguments()); });
    std::vector<Floats> results;
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const auto bytes = (i == 0 && reused_ ? inputs_[*reused_] : outputs_[i]).bytes().first(bytes_of(i));
      results.push_back(loaded(bytes, subject_.graph.dtype(subject_.outputs[i])));
    }
    check();
    return results;
  }

 private:
  [[nodiscard]] DType type_of_input(std::size_t i) const { return subject_.graph.dtype(subject_.node().inputs[i]); }
  [[nodiscard]] std::size_t bytes_of(std::size_t output) const { return subject_.graph.bytes(subject_.outputs[output]); }
  /// Everything is handed to the backend's memory, and fetched when `body` is done.
  template <class Body>
  void on_device(const Body& body) {
    for_each_memory([](GuardedMemory& memory) { memory.push(); });
    body();
    for_each_memory([](GuardedMemory& memory) { memory.pull(); });
  }
  template <class Body>
  void for_each_memory(const Body& body) {
    body(scratch_);
    body(packed_);
    std::ranges::for_each(inputs_, body);
    std::ranges::for_each(outputs_, body);
  }
  [[nodiscard]] Arguments arguments() { return {input_views_, output_views_, scratch_.data(), packed_.data(), subject_.state}; }

  void check() const {
    EXPECT_TRUE(scratch_.intact()) << kernel_.name() << " writes beside its scratch memory";
    EXPECT_TRUE(packed_.intact()) << kernel_.name() << " writes beside its packed weights";
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      EXPECT_TRUE(outputs_[i].intact()) << kernel_.name() << " writes beside output " << i;
    }
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      EXPECT_TRUE(inputs_[i].intact()) << kernel_.name() << " writes beside input " << i;
      if (reused_ == i) continue;
      EXPECT_TRUE(std::ranges::equal(inputs_[i].bytes(), stored_[i])) << kernel_.name() << " changes input " << i;
    }
  }

  const Subject& subject_;
  const Kernel& kernel_;
  std::vector<std::vector<std::byte>> stored_;  ///< the inputs
  std::optional<std::size_t> reused_;
  GuardedMemory scratch_;
  GuardedMemory packed_;
  std::vector<GuardedMemory> inputs_;
  std::vector<GuardedMemory> outputs_;
  std::vector<TensorView> input_views_;
  std::vector<TensorView> output_views_;
};

}  // namespace

std::vector<Floats> run(const Backend& backend, const Subject& subject, const RunOptions& options) {
  const auto kernel = backend.prepare(options.context, subject.graph, subject.node(), options.constant_weights);
  if (!kernel) {
    ADD_FAILURE() << backend.name() << " says that it supports this, and then: " << kernel.error().message;
    return {};
  }
  Bench bench(subject, backend.memory(), **kernel, options.in_place);
  bench.pack();
  auto first = bench.run();
  const auto second = bench.run();
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_TRUE(same_bits(first[i], second[i])) << (*kernel)->name() << ": output " << i << " differs from run to run";
  }
  return first;
}

}  // namespace fovea::contract
