// SPDX-License-Identifier: Apache-2.0
#include "predict/heat_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "backend/registry.h"
#include "data/photos.h"
#include "graph/autodiff.h"
#include "graph/passes.h"
#include "model/inference_graph.h"
#include "model/registry.h"
#include "model/weights.h"

namespace fovea {
namespace {

Model small_model(std::string_view name, HeadStyle head) {
  const auto architecture = find_architecture(name);
  Model model;
  model.architecture = architecture->name;
  model.spec = architecture->spec;
  model.spec.height = 96;
  model.spec.width = 128;
  model.spec.classes = 3;
  model.spec.head = head;
  model.classes = {"a", "b", "c"};
  model.preprocess = architecture->preprocess;
  model.preprocess.height = 96;
  model.preprocess.width = 128;
  model.parameters = ParameterSet(*build_network(model.spec));
  initialize_parameters(model.parameters, 7);
  return model;
}

/// Weights packed ahead of the run, as HeatMapper has them: the same kernels, so the same features.
Executor executor_of(graph::Graph graph, Model& model) {
  static const auto backend = make_backend("cpu");
  auto plan = Plan::make({}, std::move(graph), **backend, {.constant_weights = true});
  EXPECT_TRUE(plan.ok()) << plan.error().message;
  Executor executor(*plan);
  model.parameters.bind_to(executor);
  return executor;
}

struct GradCam {
  std::vector<double> cells;      ///< not scaled
  std::vector<double> magnitude;  ///< the sums of the terms' absolute values
};

/// As the paper writes it, with the gradient that the graph's own differentiation gives.
GradCam grad_cam(Model& model, const Image& photo, std::size_t class_index) {
  constexpr std::array<std::string_view, 1> kMap{"class_map"};
  graph::Graph forward = *inference_graph(model.spec, 1, kMap);
  Buffer image(static_cast<std::size_t>(forward.shape(*forward.find("image")).elements()) * sizeof(float));
  normalize(fit_image(photo, model.preprocess).pixels, model.preprocess, image.floats());
  Executor network = executor_of(std::move(forward), model);
  network.bind("image", image.floats().data());
  network.prepare_weights();
  network.run();
  const TensorView features = network.output("class_map");

  const graph::Graph whole = *build_network(model.spec);
  const std::array cuts{graph::Cut{"class_map", *whole.output("class_map")}};
  const std::array<std::string_view, 1> logits{"logits"};
  const std::array<std::string, 1> wanted{"class_map"};
  auto backward = graph::differentiate_from(
      graph::keep_outputs(graph::cut_inputs(whole, cuts), logits), "logits", "seed", [](std::string_view) { return false; },
      wanted);
  EXPECT_TRUE(backward.ok()) << backward.error().message;
  std::array<float, 3> seed{};
  seed[class_index] = 1;
  Executor head = executor_of(std::move(*backward), model);
  head.bind("class_map", features.f32());
  head.bind("seed", seed.data());
  head.prepare_weights();
  head.run();
  const std::span<const float> gradient = head.output(graph::gradient_name("class_map")).floats();

  const auto channels = static_cast<std::size_t>(features.shape[3]);
  const std::size_t places = gradient.size() / channels;
  std::vector<double> importance(channels, 0);
  for (std::size_t i = 0; i < gradient.size(); ++i)
    importance[i % channels] += static_cast<double>(gradient[i]) / static_cast<double>(places);
  GradCam map{std::vector<double>(places, 0), std::vector<double>(places, 0)};
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const double term = importance[i % channels] * static_cast<double>(features.floats()[i]);
    map.cells[i / channels] += term;
    map.magnitude[i / channels] += std::abs(term);
  }
  for (double& cell : map.cells) cell = std::max(cell, 0.0);
  return map;
}

TEST(HeatMap, IsGradCamByTheGradients) {
  const Image photo = test::random_photo(90, 70, 3);
  const auto backend = make_backend("cpu");
  for (const auto& [name, head] : {std::pair{"mobilenet_v2_0.35", HeadStyle::kLinear},
                                   {"mobilenet_v2_0.35", HeadStyle::kConv},
                                   {"yolo11n-cls", HeadStyle::kLinear}}) {
    Model model = small_model(name, head);
    auto mapper = HeatMapper::create({}, **backend, model);
    ASSERT_TRUE(mapper.ok()) << mapper.error().message;
    bool any = false;
    for (std::size_t k = 0; k < 3; ++k) {
      const HeatMap map = mapper->map(photo, k);
      ASSERT_EQ(map.rows, 3);
      ASSERT_EQ(map.columns, 4);
      const GradCam expected = grad_cam(model, photo, k);
      const double largest = *std::ranges::max_element(expected.cells);
      if (largest == 0) continue;
      any = true;
      // The derivative, its mean and the cell are floats, each rounded; the mean's terms are equal and positive or negative
      // alike. Scaling by the largest cell, which errs as much, doubles it.
      const double places = static_cast<double>(expected.cells.size());
      for (std::size_t i = 0; i < expected.cells.size(); ++i) {
        const double bound = 2 * (places + 3) * std::numeric_limits<float>::epsilon() * expected.magnitude[i] / largest;
        EXPECT_NEAR(map.cells[i], expected.cells[i] / largest, bound) << name << ' ' << k << ' ' << i;
      }
    }
    EXPECT_TRUE(any) << "no class has any heat: the test shows nothing";
  }
}

TEST(HeatMap, LiesOnThePhotoWhereTheFitPutIt) {
  HeatMap map{2, 2, {1, 0, 0, 0}};
  const Preprocess letterbox{.height = 64, .width = 64, .fit = Fit::kLetterbox};
  // 128 x 64 becomes 64 x 32 in rows 16 to 48: the photo's rows 0 to 63 lie between the cells' middles at 16 and 48.
  const auto heat = heat_of_pixels(map, letterbox, 128, 64);
  ASSERT_EQ(heat.size(), 128U * 64U);
  const auto at = [&](const std::vector<float>& values, int width, int x, int y) {
    return values[static_cast<std::size_t>(y * width + x)];
  };
  EXPECT_NEAR(at(heat, 128, 0, 0), 1, 0.02);
  EXPECT_NEAR(at(heat, 128, 127, 0), 0, 0.02);
  EXPECT_NEAR(at(heat, 128, 0, 63), 0, 0.02);
  EXPECT_NEAR(at(heat, 128, 0, 32), 0.5, 0.02);
  EXPECT_GE(*std::ranges::min_element(heat), 0);

  const Preprocess squash{.height = 64, .width = 64, .fit = Fit::kSquash};
  const auto squashed = heat_of_pixels(map, squash, 128, 64);
  EXPECT_NEAR(at(squashed, 128, 63, 0), 0.5, 0.02);
  EXPECT_FLOAT_EQ(at(squashed, 128, 31, 15), 1);  // up to the first cell's middle nothing changes
}

TEST(HeatMap, WhatACropCutsAwayIsUnseen) {
  const HeatMap map{1, 1, {1}};
  const Preprocess crop{.height = 32, .width = 32, .fit = Fit::kCrop, .crop_fraction = 1};
  const auto heat = heat_of_pixels(map, crop, 96, 32);  // the middle third is seen
  for (int x = 0; x < 96; ++x) {
    EXPECT_EQ(heat[static_cast<std::size_t>(x)], x >= 32 && x < 64 ? 1 : -1) << x;
  }
  const Image white = test::flat_photo(96, 32, 255, 255, 255);
  const Image out = lay_over(white, map, crop);
  EXPECT_LT(out.pixels[0], 80);
  EXPECT_GT(out.pixels[48 * 3], 200);
}

/// Relative luminance of sRGB (IEC 61966-2-1).
double luminance(const Colour& colour) {
  const auto linear = [](std::uint8_t value) {
    const double v = value / 255.0;
    return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(colour.red) + 0.7152 * linear(colour.green) + 0.0722 * linear(colour.blue);
}

TEST(HeatColour, GetsEverLighterSoThatColourIsNotNeeded) {
  double before = -1;
  for (int i = 0; i <= 50; ++i) {
    const double light = luminance(heat_colour(static_cast<float>(i) / 50));
    EXPECT_GT(light, before) << i;
    before = light;
  }
  EXPECT_LT(luminance(heat_colour(-1)), 0.03);
  EXPECT_GT(luminance(heat_colour(2)), 0.8);
}

}  // namespace
}  // namespace fovea
