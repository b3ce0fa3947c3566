// SPDX-License-Identifier: Apache-2.0
#include "flags.h"

namespace fovea::cli {

void add_output_flags(CLI::App& app, OutputFlags& flags) {
  app.add_flag("--json", flags.json, "one JSON object a line on standard output");
  auto* quiet = app.add_flag("-q,--quiet", flags.quiet, "only results and errors");
  app.add_flag("-v,--verbose", flags.verbose, "more about what is done and why")->excludes(quiet);
}

void add_compute_flags(CLI::App& app, ComputeFlags& flags) {
  app.add_option("--device", flags.device, "auto, cpu, cuda or cuda:N; one that cannot be used ends the program")
      ->capture_default_str();
  app.add_option("--precision", flags.precision, "auto or fp32")->check(CLI::IsMember({"auto", "fp32"}))->capture_default_str();
  app.add_option("--threads", flags.threads, "threads to compute with; 0: every processor")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_flag("--deterministic", flags.deterministic, "the same bits whatever the number of threads");
}

}  // namespace fovea::cli
