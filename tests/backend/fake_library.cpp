// A library that is no plug-in.
// SPDX-License-Identifier: Apache-2.0
extern "C" int fovea_fake_library() { return 0; }
