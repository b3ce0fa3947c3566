// Fovea: how well models tell the photos of other data sets from their own.
// SPDX-License-Identifier: Apache-2.0
//
//   bench_rejection weather.safetensors weather produce.safetensors produce
//
// Each model meets the validation photos of its own data and all photos of the other's. Told is the area under the receiver
// operating characteristic of the model's score, of the largest probability and of the energy, from the same run of the network.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "data/dataset.h"
#include "model/model_file.h"
#include "model/probabilities.h"
#include "runtime/device.h"
#include "train/photo_rows.h"
#include "train/rejection.h"

namespace fovea::bench {
namespace {

using training::LabelledTable;

struct Scores {
  std::vector<double> ours;
  std::vector<double> probability;  ///< less the largest (D. Hendrycks and K. Gimpel, ICLR 2017)
  std::vector<double> energy;       ///< (W. Liu et al., NeurIPS 2020)
};

Scores scores_of(const Context& context, const Rejection& rejection, const LabelledTable& table) {
  Scores scores{training::rejection_scores(context, rejection, table.features, table.table), {}, {}};
  for (std::int64_t n = 0; n < table.table.rows(); ++n) {
    const auto logits = table.table.row(n);
    const auto probabilities = probabilities_of(logits, Calibration{});
    scores.probability.push_back(-*std::ranges::max_element(probabilities));
    scores.energy.push_back(energy_of(logits));
  }
  return scores;
}

Result<LabelledTable> run(const Context& context, const Model& model, training::Inference& network, std::vector<Sample> samples) {
  training::Reporter silent(nullptr);
  return training::PhotoRows(context, samples, model.preprocess, false).run_once(network, silent);
}

double microseconds_each(const Rejection& rejection, const LabelledTable& photos) {
  constexpr int kTurns = 2000;
  const auto begin = std::chrono::steady_clock::now();
  double sum = 0;
  for (int i = 0; i < kTurns; ++i) {
    const std::int64_t n = i % photos.table.rows();
    sum += rejection_score(rejection, photos.features.row(n), photos.table.row(n));
  }
  const std::chrono::duration<double, std::micro> passed = std::chrono::steady_clock::now() - begin;
  return std::isnan(sum) ? 0 : passed.count() / kTurns;
}

Result<void> measure(const std::filesystem::path& model_path, const std::filesystem::path& own,
                     const std::filesystem::path& other) {
  Context context;
  context.threads = available_processors();
  FOVEA_ASSIGN(const Device device, open_device("cpu"));
  FOVEA_ASSIGN(Model model, load_model(model_path));
  if (!model.rejection) return fail(Error::Kind::kUsage, "{}: no rejection statistics", model_path.string());
  FOVEA_ASSIGN(auto network, training::Inference::create(context, *device.backend, model.spec, model.parameters, "logits", true));
  FOVEA_ASSIGN(const Dataset known_data, scan_dataset(own));
  FOVEA_ASSIGN(Dataset none_data, scan_dataset(other));
  std::vector<Sample> all = std::move(none_data.train);
  for (const auto* part : {&none_data.val, &none_data.test}) all.insert(all.end(), part->begin(), part->end());
  FOVEA_ASSIGN(const LabelledTable known_rows, run(context, model, network, known_data.val));
  FOVEA_ASSIGN(const LabelledTable none_rows, run(context, model, network, std::move(all)));
  const Scores known = scores_of(context, *model.rejection, known_rows);
  const Scores none = scores_of(context, *model.rejection, none_rows);
  const double threshold = model.rejection->threshold;
  fmt::print("| {} ({} known, {} others) | {:.4f} | {:.4f} | {:.4f} | {:.1f} % | {:.1f} % | {:.0f} |\n",
             model_path.filename().string(), known.ours.size(), none.ours.size(),
             training::area_under_curve(known.ours, none.ours), training::area_under_curve(known.probability, none.probability),
             training::area_under_curve(known.energy, none.energy), 100 * training::share_above(known.ours, threshold),
             100 * training::share_above(none.ours, threshold), microseconds_each(*model.rejection, known_rows));
  return {};
}

int run_all(const std::vector<std::filesystem::path>& paths) {
  fmt::print("| model | rejection score | largest probability | energy | known rejected | others rejected | microseconds |\n");
  fmt::print("|---|---|---|---|---|---|---|\n");
  for (const std::size_t first : {std::size_t{0}, std::size_t{2}}) {
    const auto measured = measure(paths[first], paths[first + 1], paths[3 - first]);
    if (!measured) {
      fmt::print(stderr, "{}\n", measured.error().message);
      return 2;
    }
  }
  return 0;
}

}  // namespace
}  // namespace fovea::bench

int main(int count, char** arguments) {
  if (count != 5) {
    fmt::print(stderr, "usage: bench_rejection MODEL DATA OTHER_MODEL OTHER_DATA\n");
    return 2;
  }
  return fovea::bench::run_all({arguments + 1, arguments + count});
}
