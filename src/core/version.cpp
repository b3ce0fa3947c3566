// SPDX-License-Identifier: Apache-2.0
#include "fovea/version.h"

namespace fovea {

std::string_view version() { return FOVEA_VERSION; }

}  // namespace fovea
