// Fovea: the library in three lines: open a model, hand it a photo, get what it shows.
// SPDX-License-Identifier: Apache-2.0
//
//   fovea-classify weather.safetensors today.jpg
#include <fovea/classifier.h>

#include <iostream>

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "usage: fovea-classify MODEL PHOTO\n", 2;
  auto classifier = fovea::Classifier::open(argv[1]);
  if (!classifier) return std::cerr << classifier.error().message << '\n', 2;
  auto answer = classifier->classify_file(argv[2]);
  if (!answer) return std::cerr << answer.error().message << '\n', 1;
  std::cout << answer->top().label << ' ' << answer->top().probability << '\n';
}
