// Fovea: what a training run costs, added up stage by stage from measured pieces. Arithmetic alone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "estimate/cost.h"
#include "fovea/trainer.h"
#include "graph/ops.h"
#include "model/network.h"

namespace fovea::estimate {

/// Of a photo of the data set, with all threads, at one input size.
struct PhotoCosts {
  Cost disk;        ///< the first time a file is read, beyond later times
  Cost compare;     ///< read, decoded, fingerprinted: what looking for near-duplicates costs
  Cost decode;      ///< read and decoded
  Cost cache_fill;  ///< scaled and kept in the cache file, beyond taking it from there
  Cost vary;        ///< taken from the cache, augmented
  Cost vary_small;  ///< the same for the pictures of a trial
};

/// Of a network on a device, with all threads.
struct NetworkCosts {
  Cost set_up;                           ///< parameters and an inference plan, once
  Cost features;                         ///< a photo: read, decoded, fingerprinted, fitted, through the frozen network
  Cost look;                             ///< a photo whose fitted pixels are at hand
  Cost tuner_set_up;                     ///< a training plan, once
  Cost learn;                            ///< a photo: forward, backward, its share of the step
  std::map<NormMode, Cost> learn_small;  ///< the same in a trial, for each way that is tried
  std::int64_t parameters = 0;
  std::int64_t parameter_bytes = 0;
  std::int64_t look_bytes = 0;                          ///< of an inference
  std::int64_t learn_bytes = 0;                         ///< of fine-tuning
  graph::Precision precision = graph::Precision::kF32;  ///< of fine-tuning's products
};

/// Of the last layer on the features of all training photos.
struct HeadCosts {
  Cost fit;     ///< with the search for the strength of regularisation
  Cost reject;  ///< learning what is of none of the classes
  std::int64_t width = 0;
};

/// The data set and what the recipe decides about it.
struct RunFacts {
  std::int64_t train = 0;
  std::int64_t val = 0;
  std::int64_t test = 0;
  std::int64_t none = 0;   ///< photos of none of the classes
  bool holds_out = false;  ///< val is taken out of train, which compares all of them first
  int epochs = 0;
  std::vector<NormMode> ways;  ///< that a trial compares; the first is the usual one
  std::int64_t trial = 0;      ///< photos of the trial; 0: there is none
  std::int64_t fit_trial = 0;  ///< photos on which fits, and input sizes, are compared
  int fits = 1;                ///< that are compared; 1: there is no choice
  bool sizes = false;          ///< a larger input is tried too
  Scope scope = Scope::kAuto;
  int batch = 32;
  PrecisionChoice precision = PrecisionChoice::kAuto;
};
/// By the code that decides them in a run. The split may still be to come: then `val` is the expected share.
[[nodiscard]] RunFacts facts_of(const TrainOptions& options, std::int64_t train, std::int64_t val, int classes);

/// Share of fine-tuning's time that it would wait for its photos, 0 to 1. They are made ready while it learns: on processors of
/// their own where a GPU learns (`apart`), else on the same ones, which then do both at half their speed.
[[nodiscard]] double waiting_share(const Cost& learn, const Cost& vary, bool apart);

/// What was measured at one input size.
struct SizeCosts {
  PhotoCosts photos;
  NetworkCosts network;
  std::int64_t pixels = 0;  ///< bytes of a fitted photo
};

/// A run that goes on with the usual fit of photos, at the input size of its costs.
struct RunCost {
  Cost features;           ///< of the training photos
  Cost first_model;        ///< from the start until a usable model is on disk
  Cost refit;              ///< more, if another way of fitting photos wins; a larger input has it in `head` and `whole`
  Cost head;               ///< a whole run that stops at the last layer
  Cost trial;              ///< of ways to fine-tune
  Cost epoch;              ///< of fine-tuning, validation included
  Cost whole;              ///< the whole run, with fine-tuning where the scope says so
  std::int64_t bytes = 0;  ///< of memory at the peak
};
/// `scan`: finding the photos. `larger`: costs at the larger input, if that wins over the usual one; null if it does not.
[[nodiscard]] RunCost cost_of_run(const RunFacts& facts, const Cost& scan, const SizeCosts& usual, const SizeCosts* larger,
                                  const HeadCosts& head);

}  // namespace fovea::estimate
