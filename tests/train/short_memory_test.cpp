// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "backend/memory.h"
#include "core/device_failure.h"
#include "support/machine_files.h"
#include "train/tiny_tuning.h"

namespace fovea::training {
namespace {

double made_bytes(const graph::Graph& graph) {
  double bytes = 0;
  for (const graph::Node& node : graph.nodes()) {
    for (const graph::ValueId id : node.outputs) bytes += sizeof(float) * static_cast<double>(graph.shape(id).elements());
  }
  return bytes;
}

/// A backend whose memory holds so many bytes of tensors: it refuses larger graphs when they are planned, or when they run.
class SmallMemory final : public Backend {
 public:
  enum class When { kPlanning, kRunning };
  SmallMemory(double bytes, When when, DeviceFailure::Kind kind = DeviceFailure::Kind::kOutOfMemory)
      : bytes_(bytes), when_(when), kind_(kind) {}

  [[nodiscard]] std::string_view name() const override { return backend_->name(); }
  [[nodiscard]] bool supports(const graph::Graph& graph, const graph::Node& node) const override {
    return backend_->supports(graph, node);
  }
  Result<std::unique_ptr<Kernel>> prepare(const Context& context, const graph::Graph& graph, const graph::Node& node,
                                          bool constant_weights) const override {
    const bool large = made_bytes(graph) > bytes_;
    if (large && when_ == When::kPlanning) throw DeviceFailure(kind_, "4 of 6 GB are free");
    FOVEA_ASSIGN(auto kernel, backend_->prepare(context, graph, node, constant_weights));
    if (!large) return kernel;
    return std::unique_ptr<Kernel>(std::make_unique<Refusing>(std::move(kernel), kind_));
  }

 private:
  class Refusing final : public Kernel {
   public:
    Refusing(std::unique_ptr<Kernel> kernel, DeviceFailure::Kind kind) : kernel_(std::move(kernel)), kind_(kind) {}
    void run(const Arguments& /*arguments*/) const override { throw DeviceFailure(kind_, "4 of 6 GB are free"); }
    void pack(const Arguments& arguments) const override { kernel_->pack(arguments); }
    [[nodiscard]] std::size_t packed_bytes() const override { return kernel_->packed_bytes(); }
    [[nodiscard]] std::size_t scratch_bytes() const override { return kernel_->scratch_bytes(); }
    [[nodiscard]] std::optional<std::size_t> reusable_input() const override { return kernel_->reusable_input(); }
    [[nodiscard]] std::string_view name() const override { return kernel_->name(); }

   private:
    std::unique_ptr<Kernel> kernel_;
    DeviceFailure::Kind kind_;
  };

  std::unique_ptr<Backend> backend_ = make_backend("cpu").value();
  double bytes_;
  When when_;
  DeviceFailure::Kind kind_;
};

/// Bytes of the tensors of a step of so many rows.
double bytes_of_rows(int rows, NormMode norm = NormMode::kFrozen) {
  double most = 0;
  // What is planned first is the largest; a backend that counts tells how large.
  class Counting final : public Backend {
   public:
    explicit Counting(double& bytes) : bytes_(bytes) {}
    [[nodiscard]] std::string_view name() const override { return "counting"; }
    [[nodiscard]] bool supports(const graph::Graph& g, const graph::Node& n) const override { return cpu_->supports(g, n); }
    Result<std::unique_ptr<Kernel>> prepare(const Context& c, const graph::Graph& g, const graph::Node& n,
                                            bool constant) const override {
      bytes_ = made_bytes(g);
      return cpu_->prepare(c, g, n, constant);
    }

   private:
    std::unique_ptr<Backend> cpu_ = make_backend("cpu").value();
    double& bytes_;
  };
  const NetworkSpec spec = tiny_spec();
  ParameterSet parameters = fresh_parameters(spec);
  FineTuneOptions options = plain_options();
  options.batch = rows;
  options.norm = norm;
  const Counting counting(most);
  EXPECT_TRUE(FineTuner::create({}, counting, spec, parameters, options).ok());
  return most;
}

class ShortMemory : public testing::TestWithParam<SmallMemory::When> {};

TEST_P(ShortMemory, ABatchIsSplitAndTheResultIsTheSame) {
  const Trained expected = whole();
  for (const int rows : {8, 4, 1}) {
    const SmallMemory backend(bytes_of_rows(rows), GetParam());
    const auto trained = train_with(backend);
    ASSERT_TRUE(trained.ok()) << trained.error().message;
    ASSERT_TRUE(trained->split.has_value());
    EXPECT_EQ(trained->split->batch, kBatch);
    EXPECT_EQ(trained->split->rows, rows);
    EXPECT_EQ(trained->split->reason, "4 of 6 GB are free");
    expect_alike(expected.parameters, trained->parameters);
    expect_alike(expected.average, trained->average);
    EXPECT_NEAR(trained->last.loss(), expected.last.loss(), 1e-4);
    EXPECT_EQ(trained->last.photos, kPhotos);
  }
}

TEST_P(ShortMemory, StatisticsOfABatchAreNotSplitBehindAnybodysBack) {
  FineTuneOptions options = plain_options();
  options.norm = NormMode::kLive;
  const SmallMemory backend(bytes_of_rows(8, NormMode::kLive), GetParam());
  const auto trained = train_with(backend, options);
  ASSERT_FALSE(trained.ok());
  EXPECT_EQ(trained.error().kind, Error::Kind::kLimit);
  EXPECT_THAT(trained.error().message, testing::AllOf(testing::HasSubstr("batch of 16"), testing::HasSubstr("4 of 6 GB are free"),
                                                      testing::HasSubstr("--batch 8"), testing::HasSubstr("--bn frozen")));
}

TEST_P(ShortMemory, APhotoThatDoesNotFitIsAnError) {
  const SmallMemory backend(1000, GetParam());
  const auto trained = train_with(backend);
  ASSERT_FALSE(trained.ok());
  EXPECT_EQ(trained.error().kind, Error::Kind::kLimit);
  EXPECT_THAT(trained.error().message, testing::AllOf(testing::HasSubstr("single photo"), testing::HasSubstr("--size")));
}

TEST_P(ShortMemory, ADeviceThatIsLostIsNoMatterOfMemory) {
  const SmallMemory backend(1000, GetParam(), DeviceFailure::Kind::kLost);
  EXPECT_THROW((void)train_with(backend), DeviceFailure);
}

/// Of a machine whose kernel says that so much is free.
class SmallMachine final : public Backend {
 public:
  explicit SmallMachine(std::int64_t bytes) {
    machine_.file("proc/meminfo", "MemAvailable: " + std::to_string(bytes / 1024) + " kB\n");
  }
  [[nodiscard]] std::string_view name() const override { return backend_->name(); }
  [[nodiscard]] bool supports(const graph::Graph& graph, const graph::Node& node) const override {
    return backend_->supports(graph, node);
  }
  Result<std::unique_ptr<Kernel>> prepare(const Context& context, const graph::Graph& graph, const graph::Node& node,
                                          bool constant_weights) const override {
    return backend_->prepare(context, graph, node, constant_weights);
  }
  [[nodiscard]] std::shared_ptr<Memory> memory() const override { return host_memory(machine_.root()); }

 private:
  test::MachineFiles machine_;
  std::unique_ptr<Backend> backend_ = make_backend("cpu").value();
};

TEST(ShortHostMemory, IsNoticedBeforeTheSystemKills) {
  EXPECT_FALSE(train_with(SmallMachine(std::int64_t{1} << 33))->split);
  const auto trained = train_with(SmallMachine(70'000'000));
  ASSERT_TRUE(trained.ok()) << trained.error().message;
  ASSERT_TRUE(trained->split);
  EXPECT_LT(trained->split->rows, kBatch);
  EXPECT_EQ(trained->split->reason, "the memory of this machine is full");
  expect_alike(whole().parameters, trained->parameters);
}

INSTANTIATE_TEST_SUITE_P(When, ShortMemory, testing::Values(SmallMemory::When::kPlanning, SmallMemory::When::kRunning));

}  // namespace
}  // namespace fovea::training
