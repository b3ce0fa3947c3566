// Fovea: counts what an emulated 64-bit Arm program executes, by kind of instruction and by function: a plug-in for qemu-aarch64.
// SPDX-License-Identifier: Apache-2.0
//
// Written against qemu's plug-in interface, version 1 (docs/devel/tcg-plugins in its sources), whose header distributions leave
// out. At the end it prints a line for each function: NAME, then how many instructions of each kind. bench/arm64/count.py builds
// and reads it.
#include <array>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>

extern "C" {
struct qemu_plugin_tb;
struct qemu_plugin_insn;
using qemu_plugin_id_t = std::uint64_t;
using TranslateCallback = void (*)(qemu_plugin_id_t id, qemu_plugin_tb* block);
using ExitCallback = void (*)(qemu_plugin_id_t id, void* data);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, TranslateCallback callback);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, ExitCallback callback, void* data);
void qemu_plugin_register_vcpu_tb_exec_inline(qemu_plugin_tb* block, int operation, void* pointer, std::uint64_t add);
std::size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb* block);
qemu_plugin_insn* qemu_plugin_tb_get_insn(const qemu_plugin_tb* block, std::size_t index);
const void* qemu_plugin_insn_data(const qemu_plugin_insn* instruction);
const char* qemu_plugin_insn_symbol(const qemu_plugin_insn* instruction);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;
}

namespace {

enum Kind { kMultiplyAdd, kOtherVector, kLoadStore, kOther, kKinds };
constexpr int kAddInline = 0;  // the interface's QEMU_PLUGIN_INLINE_ADD_U64

/// Arm Architecture Reference Manual, "A64 instruction set encoding": the main groups, and FMLA and FMLS of four floats.
Kind kind_of(std::uint32_t word) {
  const bool by_vector = (word & 0xFFA0FC00U) == 0x4E20CC00U;
  const bool by_element = (word & 0xFF80B400U) == 0x4F801000U;
  if (by_vector || by_element) return kMultiplyAdd;
  const std::uint32_t group = word >> 25U & 0xFU;
  if ((group & 0x5U) == 0x4U) return kLoadStore;
  return (group & 0x7U) == 0x7U ? kOtherVector : kOther;
}

using Counts = std::array<std::uint64_t, kKinds>;
std::map<std::string, Counts> counts;  // whose entries stay where they are

void translated(qemu_plugin_id_t /*id*/, qemu_plugin_tb* block) {
  const std::size_t size = qemu_plugin_tb_n_insns(block);
  const char* const symbol = qemu_plugin_insn_symbol(qemu_plugin_tb_get_insn(block, 0));
  Counts& of_symbol = counts[symbol == nullptr ? "(libraries)" : symbol];
  Counts here{};
  for (std::size_t i = 0; i < size; ++i) {
    std::uint32_t word = 0;
    std::memcpy(&word, qemu_plugin_insn_data(qemu_plugin_tb_get_insn(block, i)), sizeof word);
    ++here[kind_of(word)];
  }
  for (int kind = 0; kind < kKinds; ++kind) {
    if (here[kind] > 0) qemu_plugin_register_vcpu_tb_exec_inline(block, kAddInline, &of_symbol[kind], here[kind]);
  }
}

void finished(qemu_plugin_id_t /*id*/, void* path) {
  std::FILE* const file = std::fopen(static_cast<const char*>(path), "w");
  if (file == nullptr) return;
  for (const auto& [name, of_symbol] : counts) {
    std::fprintf(file, "%s", name.c_str());
    for (const std::uint64_t count : of_symbol) std::fprintf(file, "\t%" PRIu64, count);
    std::fprintf(file, "\n");
  }
  std::fclose(file);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const void* /*info*/, int count,
                                                                          char** arguments) {
  if (count != 1) {
    std::fprintf(stderr, "count_instructions: expected one argument, out=FILE\n");
    return 1;
  }
  static std::string path = arguments[0];
  path = path.substr(path.find('=') + 1);
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, finished, path.data());
  return 0;
}
