// Fovea: fovea-media, the companion that holds the verbs of companion.h.
// SPDX-License-Identifier: Apache-2.0
#include "companion.h"

int main(int argc, char** argv) {
  using namespace fovea::cli;
  constexpr Verb kVerbs[] = {{kAnnotate.name, kAnnotate.summary, add_annotate},
                             {kWatch.name, kWatch.summary, add_watch},
                             {kScale.name, kScale.summary, add_scale}};
  return run_program(kVerbs, argc, argv);
}
