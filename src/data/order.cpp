// SPDX-License-Identifier: Apache-2.0
#include "data/order.h"

#include <numeric>
#include <utility>

#include "core/rng.h"

namespace fovea {
namespace {

template <class T>
void shuffle(std::vector<T>& items, Rng& rng) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[rng.below(static_cast<std::uint32_t>(i))]);
}

Rng order_rng(const LoaderOptions& options, std::uint32_t epoch, std::size_t item) {
  return Rng(options.seed, epoch, static_cast<std::uint32_t>(item), static_cast<std::uint32_t>(Purpose::kOrder));
}

// The samples of each class that has any.
std::vector<std::vector<std::int32_t>> by_class(std::span<const Sample> samples, int classes) {
  std::vector<std::vector<std::int32_t>> lists(static_cast<std::size_t>(classes) + 1);
  const std::vector<std::int32_t> homes = home_classes(samples, classes);
  for (std::size_t i = 0; i < homes.size(); ++i)
    lists[static_cast<std::size_t>(homes[i])].push_back(static_cast<std::int32_t>(i));
  std::erase_if(lists, [](const auto& list) { return list.empty(); });
  return lists;
}

// Rounds in which every class has its turn, in a new order each; within a class likewise, all of its samples before any again.
std::vector<Visit> balanced(std::span<const Sample> samples, const LoaderOptions& options, std::uint32_t epoch) {
  auto lists = by_class(samples, options.classes);
  std::vector<Rng> rngs;
  for (std::size_t k = 0; k < lists.size(); ++k) rngs.push_back(order_rng(options, epoch, k + 1));
  Rng rng = order_rng(options, epoch, 0);
  std::vector<std::size_t> drawn(lists.size());
  std::vector<std::size_t> turns(lists.size());
  std::iota(turns.begin(), turns.end(), std::size_t{0});
  std::vector<Visit> visits;
  while (visits.size() < samples.size()) {
    shuffle(turns, rng);
    for (const std::size_t k : turns) {
      if (visits.size() == samples.size()) break;
      const std::size_t turn = drawn[k] % lists[k].size();
      if (turn == 0) shuffle(lists[k], rngs[k]);
      visits.push_back({lists[k][turn], static_cast<std::uint32_t>(drawn[k] / lists[k].size())});
      ++drawn[k];
    }
  }
  return visits;
}

}  // namespace

std::vector<Visit> visits_of_epoch(std::span<const Sample> samples, const LoaderOptions& options, std::uint32_t epoch) {
  if (options.order == LoaderOptions::Order::kBalanced) return balanced(samples, options, epoch);
  std::vector<Visit> visits(samples.size());
  for (std::size_t i = 0; i < visits.size(); ++i) visits[i].sample = static_cast<std::int32_t>(i);
  if (options.order == LoaderOptions::Order::kShuffled) {
    Rng rng = order_rng(options, epoch, 0);
    shuffle(visits, rng);
  }
  return visits;
}

}  // namespace fovea
