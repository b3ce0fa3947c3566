// Fovea: the verbs of the companion program, fovea-media.
// SPDX-License-Identifier: Apache-2.0
//
// They need FFmpeg, Pango, an MQTT client or an HTTP server. Loading those takes 200 shared libraries and a tenth of a second,
// which a single `fovea predict` should not pay.
#pragma once

#include "program.h"

namespace fovea::cli {

inline constexpr Verb kAnnotate{"annotate", "a video with what a model sees written on it", nullptr};
inline constexpr Verb kScale{"scale", "a checkout scale with a camera: steady answers, a page, JSON lines", nullptr};
inline constexpr Verb kWatch{"watch", "a camera every ten minutes, its classes in a database", nullptr};

/// This process becomes fovea-media with the same arguments: found beside this program, or in ../libexec/fovea where it is
/// installed. Comes back, with an exit status, only when that fails.
int become_companion(const char* const* argv);

}  // namespace fovea::cli
