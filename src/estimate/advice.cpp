// SPDX-License-Identifier: Apache-2.0
#include "estimate/advice.h"

namespace fovea {

std::string_view name_of(Advice advice) {
  switch (advice) {
    case Advice::kNone: return "none";
    case Advice::kPick: return "pick";
    case Advice::kBetter: return "better";
    case Advice::kWeaker: return "weaker";
    case Advice::kPointless: return "pointless";
    case Advice::kWorthTrying: return "worth trying";
    case Advice::kTooLarge: return "too large";
    case Advice::kIfLarger: return "if larger wins";
  }
  return "";
}

}  // namespace fovea

namespace fovea::estimate {
namespace {

double accuracy_of(const NetworkPlan& plan) { return plan.published_accuracy.value_or(0); }

/// Whether `a` is the better pick of two.
bool preferred(const NetworkPlan& a, const NetworkPlan& b, double patience) {
  const bool a_soon = a.whole.seconds <= patience;
  const bool b_soon = b.whole.seconds <= patience;
  if (a_soon != b_soon) return a_soon;
  if (!a_soon || accuracy_of(a) == accuracy_of(b)) return a.whole.seconds < b.whole.seconds;
  return accuracy_of(a) > accuracy_of(b);
}

Advice beside(const NetworkPlan& plan, const NetworkPlan& pick) {
  if (!plan.published_accuracy || !pick.published_accuracy) return Advice::kNone;
  const bool slower = plan.whole.seconds > pick.whole.seconds;
  const double more = accuracy_of(plan) - accuracy_of(pick);
  if (more > 0) return slower ? Advice::kBetter : Advice::kWorthTrying;
  if (more == 0) return slower ? Advice::kPointless : Advice::kWorthTrying;
  return slower ? Advice::kPointless : Advice::kWeaker;
}

}  // namespace

std::optional<std::size_t> advise(std::span<NetworkPlan> networks, std::int64_t free_bytes, double patience) {
  std::optional<std::size_t> pick;
  const auto too_large = [&](const NetworkPlan& plan) { return free_bytes > 0 && plan.memory > free_bytes; };
  for (std::size_t i = 0; i < networks.size(); ++i) {
    const NetworkPlan& plan = networks[i];
    if (!plan.not_measured.empty() || plan.usual_size || !plan.weights_here || plan.estimate || too_large(plan)) continue;
    if (!pick || preferred(plan, networks[*pick], patience)) pick = i;
  }
  for (std::size_t i = 0; i < networks.size(); ++i) {
    NetworkPlan& plan = networks[i];
    if (!plan.not_measured.empty() || plan.estimate) continue;
    if (too_large(plan)) {
      plan.advice = Advice::kTooLarge;
    } else if (plan.usual_size) {
      plan.advice = Advice::kIfLarger;
    } else if (pick) {
      plan.advice = i == *pick ? Advice::kPick : beside(plan, networks[*pick]);
    }
  }
  return pick;
}

}  // namespace fovea::estimate
