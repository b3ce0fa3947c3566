// SPDX-License-Identifier: Apache-2.0
#include "fovea/scale.h"

#include <optional>
#include <utility>

#include "core/error.h"
#include "image/decode.h"
#include "scale/checkout.h"
#include "scale/web_server.h"

namespace fovea {
namespace checkout {
namespace {

/// A model file at work.
class ModelJudge final : public Judge {
 public:
  static Result<std::unique_ptr<ModelJudge>> open(const ScaleOptions& options) {
    ClassifierOptions compute;
    compute.device = options.device;
    compute.threads = options.threads;
    compute.deterministic = options.deterministic;
    compute.tune = true;
    FOVEA_ASSIGN(Classifier classifier, open_for_scale(options.model, compute));
    return std::make_unique<ModelJudge>(options.model, compute, std::move(classifier));
  }
  ModelJudge(std::filesystem::path model, ClassifierOptions compute, Classifier classifier)
      : model_(std::move(model)), compute_(std::move(compute)), classifier_(std::move(classifier)) {}

  [[nodiscard]] const std::string& device() const { return classifier_.device(); }
  Result<Answer> classify(const Image& picture) override {
    return classifier_.classify_pixels(picture.pixels, picture.width, picture.height);
  }
  [[nodiscard]] const std::vector<std::string>& classes() const override { return classifier_.classes(); }
  Result<void> reload() override {
    FOVEA_ASSIGN(Classifier fresh, open_for_scale(model_, compute_));
    classifier_ = std::move(fresh);
    return {};
  }

 private:
  static Result<Classifier> open_for_scale(const std::filesystem::path& model, const ClassifierOptions& compute) {
    FOVEA_ASSIGN(Classifier classifier, Classifier::open(model, compute));
    if (classifier.multi_label()) {
      return fail(Error::Kind::kUsage, "{}: answers any number of labels; a scale needs a model that answers one",
                  model.string());
    }
    return classifier;
  }

  std::filesystem::path model_;
  ClassifierOptions compute_;
  Classifier classifier_;
};

Result<void> check_options(const ScaleOptions& options) {
  if (options.port < 0 || options.port > 65535) return fail(Error::Kind::kUsage, "port {}; 0 to 65535", options.port);
  // Written so that what is no number fails too.
  if (!(options.sure_at > 0 && options.sure_at <= 1)) {
    return fail(Error::Kind::kUsage, "sure from {} on; a probability above 0, at most 1", options.sure_at);
  }
  if (options.hold < std::chrono::milliseconds(100)) return fail(Error::Kind::kUsage, "photos shown for less than 100 ms");
  if (options.most_bytes < 0) return fail(Error::Kind::kUsage, "a ceiling of {} bytes for corrections", options.most_bytes);
  return check_weight_options(options.weight);
}

Result<std::optional<View>> given_empty(const ScaleOptions& options) {
  if (options.empty.empty()) return std::optional<View>();
  FOVEA_ASSIGN(const Image picture, load_image(options.empty));
  return std::optional(view_of(picture));
}

}  // namespace
}  // namespace checkout

Result<ScaleTotals> scale(const ScaleOptions& options, ScaleObserver* observer) {
  using namespace checkout;
  FOVEA_TRY(check_options(options));
  FOVEA_ASSIGN(const std::optional<View> empty, given_empty(options));
  FOVEA_ASSIGN(const std::unique_ptr<ModelJudge> judge, ModelJudge::open(options));
  FOVEA_ASSIGN(std::unique_ptr<video::Stream> stream, open_camera(options));
  std::optional<Corrections> corrections;
  if (!options.corrections.empty()) {
    FOVEA_ASSIGN(corrections, Corrections::open(options.corrections, options.most_bytes));
  }
  Board board;
  std::unique_ptr<WebServer> server;
  if (options.page) {
    FOVEA_ASSIGN(server, WebServer::start({options.bind, options.port, options.hosts}, board));
    if (observer != nullptr) observer->on_note("page: " + server->url());
  }
  if (observer != nullptr) observer->on_note("device: " + judge->device());
  std::optional<Weigher> weigher;
  if (!options.weight.device.empty()) weigher.emplace(options.weight);
  video::LatestPicture camera(std::move(stream));
  CheckoutParts parts{camera, *judge};
  parts.weigher = weigher ? &*weigher : nullptr;
  parts.corrections = corrections ? &*corrections : nullptr;
  parts.board = options.page ? &board : nullptr;
  parts.observer = observer;
  return Checkout(options, parts, empty, !is_recording(options.camera)).run();
}

}  // namespace fovea
