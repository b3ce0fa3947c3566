// SPDX-License-Identifier: Apache-2.0
#include "core/shared_library.h"

#include <dlfcn.h>

#include <cassert>

#include "core/error.h"

namespace fovea {

Result<SharedLibrary> SharedLibrary::open(const std::filesystem::path& file) {
  if (void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)) return SharedLibrary(file.string(), library);
  const char* why = ::dlerror();  // NOLINT(concurrency-mt-unsafe): glibc keeps one for each thread
  return fail(Error::Kind::kUnsupported, "{}: cannot be opened: {}", printable(file.string()),
              why == nullptr ? "no reason given" : printable(why));
}

Result<SharedLibrary> SharedLibrary::open_first(std::span<const std::string> files) {
  assert(!files.empty());
  for (const std::string& file : files.first(files.size() - 1)) {
    if (auto library = open(file)) return library;
  }
  return open(files.back());
}

void* SharedLibrary::address_of(const char* name) const { return ::dlsym(library_, name); }

Result<void> FunctionFinder::found_all(std::string_view who) const {
  if (missing_.empty()) return {};
  return fail(Error::Kind::kUnsupported, "{}: it has no function {}, which {}", printable(library_.file()), missing_, who);
}

}  // namespace fovea
