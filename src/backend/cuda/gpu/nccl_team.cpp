// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/gpu/nccl_team.h"

#include <cuda_runtime.h>
#include <nccl.h>

#include <optional>
#include <utility>

#include "backend/cuda/gpu/leaving.h"
#include "core/error.h"
#include "core/shared_library.h"

namespace fovea::cuda {
namespace {

constexpr char kLibrary[] = "libnccl.so.2";

/// The functions of NCCL's library that are used.
struct Nccl {
  decltype(&ncclCommInitAll) init_all = nullptr;
  decltype(&ncclCommDestroy) destroy = nullptr;
  decltype(&ncclCommAbort) abort = nullptr;
  decltype(&ncclBroadcast) broadcast = nullptr;
  decltype(&ncclAllReduce) all_reduce = nullptr;
  decltype(&ncclGetErrorString) error_text = nullptr;

  /// Opened once more for each team; the system counts, and it stays loaded.
  static Result<Nccl> open() {
    const auto library = SharedLibrary::open(kLibrary);
    if (!library) {
      return fail(Error::Kind::kUnsupported, "several GPUs need NCCL 2 for CUDA 13 ({}); install libnccl2, or train on one GPU",
                  library.error().message);
    }
    Nccl nccl;
    FunctionFinder find(*library);
    find(nccl.init_all, "ncclCommInitAll");
    find(nccl.destroy, "ncclCommDestroy");
    find(nccl.abort, "ncclCommAbort");
    find(nccl.broadcast, "ncclBroadcast");
    find(nccl.all_reduce, "ncclAllReduce");
    find(nccl.error_text, "ncclGetErrorString");
    FOVEA_TRY(find.found_all("NCCL 2 has"));
    return nccl;
  }
};

/// The communicators of all members. When one leaves, those of all are aborted, so that nobody's GPU waits for it.
class Team {
 public:
  Team(const Nccl& nccl, std::vector<ncclComm_t> communicators) : nccl_(nccl), communicators_(std::move(communicators)) {}
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team() {
    if (left()) return;
    for (const ncclComm_t each : communicators_) nccl_.destroy(each);
  }
  [[nodiscard]] const Nccl& nccl() const { return nccl_; }
  [[nodiscard]] int size() const { return static_cast<int>(communicators_.size()); }
  [[nodiscard]] bool left() const { return leaving_.left(); }
  /// What body(communicator) answers, or nothing once a member has left: then there are none any more.
  template <class Body>
  std::optional<ncclResult_t> call(int rank, const Body& body) {
    return leaving_.unless_left([&] { return body(communicators_[static_cast<std::size_t>(rank)]); });
  }
  void leave() {
    leaving_.leave([&] {
      for (const ncclComm_t each : communicators_) nccl_.abort(each);
    });
  }

 private:
  Nccl nccl_;
  std::vector<ncclComm_t> communicators_;  // by rank
  Leaving leaving_;
};

class NcclMember final : public Communicator {
 public:
  NcclMember(std::shared_ptr<Team> team, int device, int rank) : team_(std::move(team)), device_(device), rank_(rank) {}
  ~NcclMember() override {
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
  }

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return team_->size(); }

  Result<void> broadcast(std::span<float> values) override {
    return run([&](ncclComm_t own) {
      return team_->nccl().broadcast(values.data(), values.data(), values.size(), ncclFloat, 0, own, stream_);
    });
  }
  Result<void> all_reduce_sum(std::span<float> values) override {
    return run([&](ncclComm_t own) {
      return team_->nccl().all_reduce(values.data(), values.data(), values.size(), ncclFloat, ncclSum, own, stream_);
    });
  }
  void leave() override { team_->leave(); }

 private:
  static Error gone() { return fail(Error::Kind::kCancelled, "another trainer of the team has stopped"); }

  /// What was computed before is waited for, and so is the outcome: the caller's kernels run in a stream of their own.
  template <class Body>
  Result<void> run(const Body& body) {
    if (team_->left()) return gone();
    FOVEA_TRY(checked(cudaSetDevice(device_)));
    if (stream_ == nullptr) FOVEA_TRY(checked(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)));
    FOVEA_TRY(checked(cudaDeviceSynchronize()));
    const auto status = team_->call(rank_, body);
    if (!status) return gone();
    if (*status != ncclSuccess) return fail(Error::Kind::kIo, "NCCL on GPU {}: {}", device_, team_->nccl().error_text(*status));
    FOVEA_TRY(checked(cudaStreamSynchronize(stream_)));
    return team_->left() ? Result<void>(gone()) : Result<void>();
  }
  [[nodiscard]] Result<void> checked(cudaError_t status) const {
    if (status == cudaSuccess) return {};
    return fail(Error::Kind::kIo, "GPU {}: {}", device_, cudaGetErrorString(status));
  }

  std::shared_ptr<Team> team_;
  int device_;
  int rank_;
  cudaStream_t stream_ = nullptr;
};

}  // namespace

Result<std::vector<std::unique_ptr<Communicator>>> make_nccl_team(std::span<const int> devices) {
  FOVEA_ASSIGN(const Nccl nccl, Nccl::open());
  std::vector<ncclComm_t> communicators(devices.size());
  const auto size = static_cast<int>(devices.size());
  if (const ncclResult_t status = nccl.init_all(communicators.data(), size, devices.data()); status != ncclSuccess) {
    return fail(Error::Kind::kUnsupported, "NCCL cannot join {} GPUs: {}", size, nccl.error_text(status));
  }
  const auto team = std::make_shared<Team>(nccl, std::move(communicators));
  std::vector<std::unique_ptr<Communicator>> members;
  for (int rank = 0; rank < size; ++rank) {
    members.push_back(std::make_unique<NcclMember>(team, devices[static_cast<std::size_t>(rank)], rank));
  }
  return members;
}

}  // namespace fovea::cuda
