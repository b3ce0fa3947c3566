// Fovea: golden files made by tools/make_*_goldens.py: lines of a name and numbers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/paths.h"

namespace fovea::test {

/// Every line of that name, in order.
using Golden = std::map<std::string, std::vector<std::vector<double>>>;

inline Golden read_golden(std::string_view relative) {
  Golden golden;
  std::ifstream file(test_data(relative));
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    std::vector<double> values;
    for (double value = 0; words >> value;) values.push_back(value);
    golden[name].push_back(std::move(values));
  }
  EXPECT_FALSE(golden.empty()) << relative;
  return golden;
}

inline std::vector<float> to_floats(const std::vector<double>& values) { return {values.begin(), values.end()}; }

}  // namespace fovea::test
