// SPDX-License-Identifier: Apache-2.0
#include "companion.h"

int main(int argc, char** argv) {
  using namespace fovea::cli;
  constexpr Verb kVerbs[] = {
      {"train", "a folder of photos becomes a classifier", add_train},
      {"predict", "what photos show", add_predict},
      {"val", "how good a model is on photos with known labels", add_val},
      {"check", "what is wrong, or looks wrong, with a folder of labelled photos", add_check},
      {"plan", "how long training would take here, for each network", add_plan},
      {"doctor", "what hardware is here, what will be used, and why not the rest", add_doctor},
      {"bench", "how fast this machine decodes, infers, trains and sorts", add_bench},
      kAnnotate,
      kWatch,
      kScale,
      {"info", "what a model, a weight file, a photo or a folder of photos holds", add_info},
      {"tag", "what photos show, written into their metadata as keywords", add_tag},
      {"untag", "those keywords taken out again, byte for byte", add_untag},
      {"find", "tagged photos by class, probability, date, camera and place", add_find},
  };
  return run_program(kVerbs, argc, argv);
}
