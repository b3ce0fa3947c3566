// Fovea: libraries of the system that are opened when they are first needed, so that a program starts without them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "core/error.h"
#include "fovea/result.h"

namespace fovea {

/// An open library. It is never unloaded, whoever lets go of it: such libraries start threads and keep data of each thread, and
/// what was made with them may outlive any owner that could be named.
class SharedLibrary {
 public:
  /// By path, or by a name that the system looks for. kUnsupported, naming it, with the system's reason.
  static Result<SharedLibrary> open(const std::filesystem::path& file);
  /// The first of them that can be opened; the last one's error where none can. At least one.
  static Result<SharedLibrary> open_first(std::span<const std::string> files);

  [[nodiscard]] const std::string& file() const { return file_; }
  /// Null where the library has no function of that name. Whether it is of that type, the caller must know.
  template <class Function>
  [[nodiscard]] Function* find(const char* name) const {
    return reinterpret_cast<Function*>(address_of(name));
  }

 private:
  SharedLibrary(std::string file, void* library) : file_(std::move(file)), library_(library) {}
  [[nodiscard]] void* address_of(const char* name) const;

  std::string file_;
  void* library_;
};

/// Looks for functions one after the other, and keeps the name of the first that is missing.
class FunctionFinder {
 public:
  explicit FunctionFinder(const SharedLibrary& library) : library_(library) {}

  /// Null where there is none.
  template <class Function>
  void operator()(Function*& function, const char* name) {
    function = library_.find<Function>(name);
    if (function == nullptr && missing_.empty()) missing_ = name;
  }
  /// kUnsupported: "libnvjpeg.so.13: it has no function nvjpegDecode, which ..."; `who` has it: "nvJPEG of CUDA 12 has".
  [[nodiscard]] Result<void> found_all(std::string_view who) const;

 private:
  const SharedLibrary& library_;
  std::string missing_;
};

/// What a struct of a library's functions holds: each under its short name. LIST(X) names them by X(PREFIX, NAME).
#define FOVEA_LIBRARY_FUNCTIONS(LIST) \
  LIST(FOVEA_LIBRARY_FUNCTION)        \
  void find_all(FunctionFinder& find) { LIST(FOVEA_FIND_FUNCTION) }
#define FOVEA_LIBRARY_FUNCTION(prefix, name) decltype(&prefix##name) name = nullptr;
#define FOVEA_FIND_FUNCTION(prefix, name) find(name, #prefix #name);

/// Such a struct, of the library `file`. kUnsupported where that cannot be opened or lacks one; `who` has all: "libheif 1.15
/// has".
template <class Functions>
Result<Functions> open_functions(const std::filesystem::path& file, std::string_view who) {
  FOVEA_ASSIGN(const SharedLibrary library, SharedLibrary::open(file));
  FunctionFinder find(library);
  Functions made;
  made.find_all(find);
  FOVEA_TRY(find.found_all(who));
  return made;
}

}  // namespace fovea
