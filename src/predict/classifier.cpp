// SPDX-License-Identifier: Apache-2.0
#include "fovea/classifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <future>
#include <numeric>
#include <optional>
#include <utility>

#include "core/error.h"
#include "data/workers.h"
#include "image/decode.h"
#include "image/preprocess.h"
#include "image/yuv.h"
#include "model/lanes.h"
#include "model/model_file.h"
#include "model/network_runner.h"
#include "model/probabilities.h"
#include "predict/explain.h"
#include "predict/heat_map.h"
#include "predict/in_order.h"
#include "runtime/device.h"
#include "runtime/machine_tuning.h"

namespace fovea {
namespace {

/// From so many photos on each thread takes photos of its own from file to answer; fewer are computed one after another by all.
constexpr std::size_t kMany = 4;
constexpr std::string_view kLogits = "logits";
constexpr std::string_view kFeatures = "features";

}  // namespace

class Classifier::Impl {
 public:
  Impl(Context context, Device device, Model model)
      : context_(std::move(context)),
        device_(std::move(device)),
        device_text_(fmt::format("{} ({})", device_.name, device_.reason)),
        model_(std::move(model)) {
    decode_.shorter_side_needed = shorter_side_needed(model_.preprocess);
  }

  /// For one photo by all threads. Made when first needed, as the lanes are: few photos never pay for what many need.
  Result<NetworkRunner*> runner() {
    if (!runner_) {
      FOVEA_ASSIGN(runner_, NetworkRunner::create(context_, *device_.backend, model_.spec, model_.parameters, 1, outputs()));
    }
    return &*runner_;
  }

  /// Decoded photo, or frame, to network input.
  template <class Photo>
  void prepare(const Photo& photo, std::span<float> input) const {
    normalize(fit_image(photo, model_.preprocess).pixels, model_.preprocess, input);
  }

  /// What the last run of `network` says of photo `index`.
  [[nodiscard]] Answer answer(const NetworkRunner& network, int index) const {
    const auto logits = network.row(kLogits, index);
    const std::vector<double> probabilities = model_.multi_label()
                                                  ? independent_probabilities_of(logits, model_.calibration.temperature)
                                                  : probabilities_of(logits, model_.calibration);
    std::vector<std::size_t> order(probabilities.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater(), [&](std::size_t i) { return probabilities[i]; });
    Answer answer;
    for (const std::size_t i : order) {
      answer.predictions.push_back({model_.classes[i], probabilities[i]});
      if (model_.multi_label() && probabilities[i] >= model_.thresholds[i]) answer.labels.push_back(answer.predictions.back());
    }
    answer.rejected = model_.rejection && is_rejected(*model_.rejection, network.row(kFeatures, index), logits);
    return answer;
  }

  template <class Photo>
  Result<Answer> classify(const Photo& photo) {
    FOVEA_ASSIGN(NetworkRunner * network, runner());
    prepare(photo, network->input(0));
    network->run();
    return answer(*network, 0);
  }
  Result<Answer> classify(const Result<Image>& photo) { return photo ? classify(*photo) : Result<Answer>(photo.error()); }

  /// Decodes photo `index` for classification.
  using Load = std::function<Result<Image>(std::size_t index)>;

  void classify_all(std::size_t count, const Load& load, const OnAnswer& on_answer) {
    if (count < kMany) return classify_few(count, load, on_answer);
    if (const auto ready = make_lanes_for(count); !ready) {
      for (std::size_t i = 0; i < count && on_answer(i, ready.error()); ++i) {
      }
      return;
    }
    InOrder answers(on_answer);
    Context until = context_;
    until.stop = &answers.ended();
    const auto batch = static_cast<std::size_t>(lanes_.front().batch());
    for_each_photo(until, static_cast<std::int64_t>((count + batch - 1) / batch), [&](std::int64_t part, int lane) {
      const std::size_t first = static_cast<std::size_t>(part) * batch;
      classify_part(lanes_[static_cast<std::size_t>(lane)], first, std::min(batch, count - first), load, answers);
    });
  }

  /// One after another; the first is decoded while the network is made ready, on a thread of its own if there is one to be had.
  void classify_few(std::size_t count, const Load& load, const OnAnswer& on_answer) {
    std::future<Result<Image>> first;
    if (count > 0 && !runner_) {
      first = std::async([&load] { return load(0); });
      (void)runner();  // where that fails, every photo's answer says why
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (!on_answer(i, classify(first.valid() ? first.get() : load(i)))) return;
    }
  }

  Result<Answer> explain(const std::filesystem::path& photo, const std::filesystem::path& picture) {
    FOVEA_TRY(check_picture(photo, picture));
    FOVEA_ASSIGN(Image whole, load_image(photo));
    FOVEA_ASSIGN(Answer answer, classify(load_image(photo, decode_)));
    if (!heat_) {
      FOVEA_ASSIGN(heat_, HeatMapper::create(context_, *device_.backend, model_));
    }
    const auto top = std::ranges::find(model_.classes, answer.top().label) - model_.classes.begin();
    const HeatMap map = heat_->map(whole, static_cast<std::size_t>(top));
    FOVEA_TRY(write_picture(lay_over(whole, map, model_.preprocess), picture));
    return answer;
  }

  [[nodiscard]] const DecodeOptions& decode_options() const { return decode_; }
  [[nodiscard]] const std::vector<std::string>& classes() const { return model_.classes; }
  [[nodiscard]] const std::string& device() const { return device_text_; }
  [[nodiscard]] bool multi_label() const { return model_.multi_label(); }

 private:
  /// One a thread, or fewer for few photos.
  Result<void> make_lanes_for(std::size_t count) {
    const int wanted = static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(context_.threads), (count + 1) / 2));
    if (wanted <= static_cast<int>(lanes_.size())) return {};
    FOVEA_ASSIGN(lanes_, make_lanes(context_, *device_.backend, model_.spec, model_.parameters, wanted, outputs()));
    return {};
  }

  /// Photos first to first + count, at most the lane's batch.
  void classify_part(NetworkRunner& lane, std::size_t first, std::size_t count, const Load& load, InOrder& answers) const {
    std::vector<std::optional<Error>> errors(count);
    for (std::size_t i = 0; i < count; ++i) {
      const Result<Image> photo = load(first + i);
      if (photo) {
        prepare(*photo, lane.input(static_cast<int>(i)));
      } else {
        errors[i] = photo.error();
      }
    }
    lane.run();
    for (std::size_t i = 0; i < count; ++i) {
      answers.put(first + i, errors[i] ? Result<Answer>(*errors[i]) : Result<Answer>(answer(lane, static_cast<int>(i))));
    }
  }

  [[nodiscard]] std::span<const std::string_view> outputs() const {
    static constexpr std::array<std::string_view, 2> kOutputs{kLogits, kFeatures};
    return std::span(kOutputs).first(model_.rejection ? 2 : 1);
  }

  Context context_;
  Device device_;
  std::string device_text_;
  Model model_;
  DecodeOptions decode_;
  std::optional<NetworkRunner> runner_;
  std::vector<NetworkRunner> lanes_;
  std::optional<HeatMapper> heat_;  ///< made when first needed
};

Classifier::Classifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;
Classifier::~Classifier() = default;

Result<Classifier> Classifier::open(const std::filesystem::path& model, const ClassifierOptions& options) {
  FOVEA_ASSIGN(Device device, open_device(options.device));
  FOVEA_ASSIGN(Model loaded, load_model(model));
  Context context;
  context.threads = options.threads > 0 ? options.threads : available_processors();
  context.deterministic = options.deterministic;
  context.tuning = machine_tuning(options.tune ? Tuning::Mode::kMeasure : Tuning::Mode::kReadOnly);
  return Classifier(std::make_unique<Impl>(std::move(context), std::move(device), std::move(loaded)));
}

Result<Answer> Classifier::classify_file(const std::filesystem::path& photo) {
  return impl_->classify(load_image(photo, impl_->decode_options()));
}

Result<Answer> Classifier::explain_file(const std::filesystem::path& photo, const std::filesystem::path& picture) {
  return impl_->explain(photo, picture);
}

Result<Answer> Classifier::classify(std::span<const std::byte> photo) {
  return impl_->classify(decode_image(photo, impl_->decode_options()));
}

Result<Answer> Classifier::classify_pixels(std::span<const std::uint8_t> rgb, int width, int height) {
  if (width < 1 || height < 1 || rgb.size() != static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3) {
    return fail(Error::Kind::kUsage, "{} bytes for {} by {} pixels: expected 3 a pixel", rgb.size(), width, height);
  }
  Image photo;
  photo.width = width;
  photo.height = height;
  photo.pixels.assign(rgb.begin(), rgb.end());
  return impl_->classify(photo);
}

Result<Answer> Classifier::classify_frame(const YuvFrame& frame) {
  if (frame.width < 1 || frame.height < 1 || std::ranges::count(frame.planes, nullptr) > 0) {
    return fail(Error::Kind::kUsage, "a frame of {} by {} pixels: expected a size and three planes", frame.width, frame.height);
  }
  return impl_->classify(frame);
}

void Classifier::classify_files(std::span<const std::filesystem::path> photos, const OnAnswer& on_answer) {
  impl_->classify_all(
      photos.size(), [&](std::size_t i) { return load_image(photos[i], impl_->decode_options()); }, on_answer);
}

void Classifier::classify_each(std::size_t count, const Read& read, const OnAnswer& on_answer) {
  const auto load = [&](std::size_t i) -> Result<Image> {
    FOVEA_ASSIGN(const auto bytes, read(i));
    return decode_image(bytes, impl_->decode_options());
  };
  impl_->classify_all(count, load, on_answer);
}

const std::vector<std::string>& Classifier::classes() const { return impl_->classes(); }
bool Classifier::multi_label() const { return impl_->multi_label(); }
const std::string& Classifier::device() const { return impl_->device(); }

}  // namespace fovea
