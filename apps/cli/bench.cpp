// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "console.h"
#include "fovea/benchmark.h"
#include "fovea/figures.h"
#include "signals.h"
#include "train_flags.h"
#include "verbs.h"

namespace fovea::cli {
namespace {

/// What a `fovea bench WHAT` was told.
struct BenchFlags {
  DecodeBenchOptions decode;
  NetworkBenchOptions network;
  SortBenchOptions sort;
  BenchSettings settings;
  OutputFlags output;
};

/// Whole percents; "-" where there is nothing to compare with.
std::string share(double part, double whole) { return whole > 0 ? fmt::format("{:.0f} %", 100 * part / whole) : "-"; }

std::string peak_memory(std::int64_t bytes) {
  return bytes > 0 ? fmt::format("{:.0f} M", static_cast<double>(bytes) / (1 << 20)) : "-";
}

/// Rows shown as they are measured, with a sign that it goes on until the next one.
class Rows {
 public:
  Rows(Console& console, std::string head) : console_(console), head_(std::move(head)) { console_.busy("measuring"); }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows() { console_.clear_progress(); }

  /// `print` shows one row; the first has the head above it.
  template <typename Print>
  void show(Print print) {
    if (!std::exchange(begun_, true) && !console_.json()) console_.print(head_);
    print();
    console_.busy("measuring");
  }

 private:
  Console& console_;
  std::string head_;
  bool begun_ = false;
};

void print(Console& console, const DecodeRate& rate) {
  if (console.json()) {
    return console.print_json({{"bench", "decode"},
                               {"format", rate.format},
                               {"size_class", rate.size_class},
                               {"threads", rate.threads},
                               {"photos", rate.photos},
                               {"photos_per_second", rate.photos_per_second},
                               {"megabytes_per_second", rate.megabytes_per_second},
                               {"reading", rate.reading},
                               {"decoding", rate.decoding},
                               {"resizing", rate.resizing},
                               {"scaled", rate.scaled}});
  }
  console.print(fmt::format("{:<6} {:<12} {:>6} {:>7} {:>8.1f} {:>6.1f} {:>6} {:>6} {:>6} {:>6}", rate.format, rate.size_class,
                            rate.photos, rate.threads, rate.photos_per_second, rate.megabytes_per_second, share(rate.reading, 1),
                            share(rate.decoding, 1), share(rate.resizing, 1), share(rate.scaled, 1)));
}

int decode_verb(BenchFlags& flags) {
  Console console("bench decode", flags.output);
  flags.decode.settings = flags.settings;
  flags.decode.settings.stop = &stop_on_signals();
  const auto measure = [&] {
    Rows rows(console, fmt::format("{:<6} {:<12} {:>6} {:>7} {:>8} {:>6} {:>6} {:>6} {:>6} {:>6}", "format", "size", "photos",
                                   "threads", "photos/s", "MB/s", "read", "decode", "resize", "scaled"));
    return bench_decode(flags.decode, [&](const DecodeRate& rate) { rows.show([&] { print(console, rate); }); });
  };
  const auto bench = measure();
  if (!bench) return console.fail(bench.error());
  for (const SkippedPhoto& photo : bench->skipped) console.warn(fmt::format("{}: {}", photo.path.string(), photo.reason));
  console.note("read, decode, resize: parts of the time; scaled: photos decoded at a\n  fraction of their size");
  return bench->skipped.empty() ? kDone : kSomeFailed;
}

void print(Console& console, const char* what, const NetworkRate& rate) {
  if (console.json()) {
    nlohmann::ordered_json object{{"bench", what},
                                  {"network", rate.network},
                                  {"size", rate.size},
                                  {"batch", rate.batch},
                                  {"threads", rate.threads},
                                  {"precision", rate.precision},
                                  {"runs", rate.runs},
                                  {"median_ms", rate.median_ms},
                                  {"p95_ms", rate.p95_ms},
                                  {"images_per_second", rate.images_per_second},
                                  {"gflops", rate.gflops},
                                  {"machine_gflops", rate.machine_gflops},
                                  {"peak_memory_bytes", rate.peak_memory}};
    if (rate.traffic_gb_s) object["traffic_gb_s"] = *rate.traffic_gb_s;
    if (rate.wait_share) object["wait_share"] = *rate.wait_share;
    return console.print_json(object);
  }
  console.print(fmt::format("{} {:>4} {:>5} {:>7} {:>9.1f} {:>8.1f} {:>8.1f} {:>5} {:>7}", fitted(rate.network, 19), rate.size,
                            rate.batch, rate.threads, rate.median_ms, rate.p95_ms, rate.images_per_second,
                            share(rate.gflops, rate.machine_gflops), peak_memory(rate.peak_memory)) +
                (rate.wait_share ? fmt::format(" {:>7}", share(*rate.wait_share, 1)) : ""));
}

int network_verb(BenchFlags& flags, const char* what) {
  const bool train = std::string_view(what) == "train";
  Console console(fmt::format("bench {}", what), flags.output);
  flags.network.settings = flags.settings;
  flags.network.settings.stop = &stop_on_signals();
  const auto measure = [&] {
    Rows rows(console, fmt::format("{:<19} {:>4} {:>5} {:>7} {:>9} {:>8} {:>8} {:>5} {:>7}", "network", "px", "batch", "threads",
                                   train ? "ms/step" : "median ms", "p95 ms", "images/s", "gemm", "memory") +
                           (flags.network.data.empty() ? "" : " waiting"));
    const auto on_rate = [&](const NetworkRate& rate) { rows.show([&] { print(console, what, rate); }); };
    return train ? bench_train(flags.network, on_rate) : bench_infer(flags.network, on_rate);
  };
  const auto rates = measure();
  if (!rates) return console.fail(rates.error());
  const NetworkRate& last = rates->back();
  console.note(wrapped(fmt::format("{}; gemm: share of a product of large fp32 matrices ({:.0f} GFLOP/s with {}); memory: the "
                                   "most that the process held",
                                   last.precision, last.machine_gflops, counted(last.threads, "thread")),
                       78, 2));
  const bool waits = std::ranges::any_of(*rates, [](const NetworkRate& r) { return r.wait_share.value_or(0) > kMostWaiting; });
  if (waits) {
    console.warn(
        wrapped(fmt::format("the network waits for photos, which come from the cache, for more than {} of the time: smaller "
                            "photos or more --threads help",
                            percent(kMostWaiting)),
                78, 2));
  }
  return kDone;
}

void print(Console& console, const SortRate& rate) {
  if (console.json()) {
    nlohmann::ordered_json object{{"bench", "sort"},
                                  {"device", rate.device},
                                  {"count", rate.count},
                                  {"threads", rate.threads},
                                  {"milliseconds", rate.milliseconds},
                                  {"gb_s", rate.gb_s},
                                  {"copy_gb_s", rate.copy_gb_s},
                                  {"std_sort_ms", rate.std_sort_ms},
                                  {"sorted", rate.sorted},
                                  {"same_numbers", rate.same_numbers}};
    if (rate.transfer_ms) object["transfer_ms"] = *rate.transfer_ms;
    return console.print_json(object);
  }
  const bool right = rate.sorted && rate.same_numbers;
  console.print(fmt::format("{:<6} {:>10} {:>7} {:>8.0f} {:>6.1f} {:>9.1f} {:>6} {:>12} {:>6}", rate.device, rate.count,
                            rate.threads > 0 ? std::to_string(rate.threads) : "-", rate.milliseconds, rate.gb_s, rate.copy_gb_s,
                            share(rate.gb_s, rate.copy_gb_s), fmt::format("{:.1f}x", rate.std_sort_ms / rate.milliseconds),
                            right ? "yes" : "NO"));
}

int sort_verb(BenchFlags& flags) {
  Console console("bench sort", flags.output);
  flags.sort.settings = flags.settings;
  flags.sort.settings.stop = &stop_on_signals();
  const auto measure = [&] {
    Rows rows(console, fmt::format("{:<6} {:>10} {:>7} {:>8} {:>6} {:>9} {:>6} {:>12} {:>6}", "device", "numbers", "threads",
                                   "ms", "GB/s", "copy GB/s", "share", "std::sort x1", "right"));
    return bench_sort(flags.sort, [&](const SortRate& rate) { rows.show([&] { print(console, rate); }); });
  };
  const auto bench = measure();
  if (!bench) return console.fail(bench.error());
  console.note("right: in order, and the same numbers; std::sort x1: how many times as fast\n  as that on one thread");
  if (!bench->no_gpu.empty()) console.note(wrapped("no row of a GPU: " + bench->no_gpu, 78, 2));
  return std::ranges::all_of(bench->rates, [](const SortRate& r) { return r.sorted && r.same_numbers; }) ? kDone : kSomeFailed;
}

/// "200M", "50k", "1000000".
std::int64_t number_of(const std::string& text) {
  std::size_t used = 0;
  double value = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  const std::string unit = used == 0 ? "?" : text.substr(used);
  const double times = unit.empty() ? 1 : unit == "k" ? 1e3 : unit == "M" ? 1e6 : unit == "G" ? 1e9 : 0;
  if (times == 0 || !(value * times >= 1) || value * times > 1e12) {
    throw CLI::ValidationError("--count", "'" + text + "': expected a number such as 200M, 50k or 1000");
  }
  return std::llround(value * times);
}

void add_settings(CLI::App& app, BenchFlags& flags) {
  app.add_option("--threads", flags.settings.threads, "a row for each of these numbers, such as 1,2 [1, and every processor]")
      ->type_name("N,...")
      ->delimiter(',')
      ->check(whole_number(1, 1024));
  app.add_option("--seconds", flags.settings.seconds, "to measure for each row, about")
      ->check(above_zero())
      ->capture_default_str();
  add_output_flags(app, flags.output);
}

void add_network_flags(CLI::App& app, BenchFlags& flags) {
  app.add_option("--arch", flags.network.archs, "networks, such as mobilenet_v2,efficientnet_lite0 [efficientnet_lite0]")
      ->type_name("NAME,...")
      ->delimiter(',');
  app.add_option("--batch", flags.network.batches, "a row for each of these numbers of photos at once")
      ->type_name("N,...")
      ->delimiter(',')
      ->check(whole_number(1, 4096));
  app.add_option("--size", flags.network.size, "input side in pixels [that of the network]")->check(whole_number(32, 1024));
  app.add_option("--device", flags.network.device, "auto, cpu, cuda or cuda:N")
      ->check(device_name())
      ->type_name("DEVICE")
      ->capture_default_str();
}

}  // namespace

Run add_bench(CLI::App& app) {
  auto flags = std::make_shared<BenchFlags>();
  app.description(
      "How fast this machine is, and how near to what it can do at best.\n\n"
      "  fovea bench infer\n"
      "  fovea bench decode skies");
  app.require_subcommand(1);
  CLI::App* train = app.add_subcommand("train",
                                       "Steps of fine-tuning a second: forward, backward, optimiser.\n\n"
                                       "  fovea bench train --batch 16\n"
                                       "  fovea bench train --arch mobilenet_v2 --data skies --threads 2");
  add_network_flags(*train, *flags);
  train->add_option("--data", flags->network.data, "real photos, laid out as for train [made-up batches]")->type_name("DATA");
  add_choice<bool>(*train, "--bn", flags->network.live_norm, {{"frozen", false}, {"live", true}},
                   "statistics of BatchNorm: as stored, or of each batch");
  add_training_precision(*train, flags->network.precision);
  add_settings(*train, *flags);
  CLI::App* infer = app.add_subcommand("infer",
                                       "Photos through a network: milliseconds, and photos a second.\n\n"
                                       "  fovea bench infer weather.safetensors --batch 1,8\n"
                                       "  fovea bench infer --arch mobilenet_v2,yolo11n-cls --batch 1");
  add_network_flags(*infer, *flags);
  infer->add_option("MODEL", flags->network.model, "a model of one's own, instead of --arch")->excludes("--arch", "--size");
  add_settings(*infer, *flags);
  CLI::App* decode = app.add_subcommand("decode",
                                        "Photos from file to the network's input, by format and size.\n\n"
                                        "  fovea bench decode skies");
  decode->add_option("PATH", flags->decode.inputs, "photos, and folders of photos")->required();
  decode->add_option("--size", flags->decode.size, "input side in pixels")->check(whole_number(16, 4096))->capture_default_str();
  add_settings(*decode, *flags);
  CLI::App* sort = app.add_subcommand("sort",
                                      "Random 32-bit numbers in order, beside what the memory allows.\n\n"
                                      "  fovea bench sort --count 20M");
  sort->add_option_function<std::string>(
          "--count", [flags](const std::string& text) { flags->sort.count = number_of(text); }, "numbers, such as 20M [200M]")
      ->type_name("N");
  add_settings(*sort, *flags);
  return [=] {
    if (train->parsed()) return network_verb(*flags, "train");
    if (infer->parsed()) return network_verb(*flags, "infer");
    return decode->parsed() ? decode_verb(*flags) : sort_verb(*flags);
  };
}

}  // namespace fovea::cli
