// SPDX-License-Identifier: Apache-2.0
#include "format/pickle.h"

#include <bit>
#include <optional>
#include <string>

#include "core/error.h"
#include "format/byte_cursor.h"
#include "format/pickle_opcodes.h"

namespace fovea {
namespace {

constexpr std::uint8_t kNewestProtocol = 5;

}  // namespace

// The stack machine of the format. Each operation checks the kinds of what it takes before it takes it.
class Unpickler {
 public:
  explicit Unpickler(Bytes bytes) : cursor_(bytes) {}

  Result<Pickle> run() {
    for (; operations_ < Pickle::kOperationLimit; ++operations_) {
      position_ = cursor_.position();
      const auto code = cursor_.number<std::uint8_t>();
      if (!code) return cut();
      const PickleOp op{*code};
      if (position_ == 0 && op != Op::kProto) return refuse("does not begin with a protocol number");
      if (op == Op::kStop) return finish();
      FOVEA_TRY(step(op));
    }
    return fail(Error::Kind::kLimit, "pickle: more than the limit of {} operations", Pickle::kOperationLimit);
  }

 private:
  using Status = Result<void>;
  using Ref = PickleValue*;
  using Op = PickleOp;

  Error refuse(std::string_view reason) const {
    return fail(Error::Kind::kFormat, "pickle: {} (at its byte {})", reason, position_);
  }
  Error cut() const { return refuse("ends too early: truncated?"); }

  Result<Pickle> finish() {
    if (stack_.size() != 1 || !marks_.empty()) return refuse(fmt::format("ends with {} values, expected 1", stack_.size()));
    pickle_.root_ = stack_.back();
    pickle_.size_ = cursor_.position();
    return std::move(pickle_);
  }

  Status step(Op op) {
    switch (op) {
      case Op::kProto: return protocol();
      case Op::kFrame: return cursor_.take(sizeof(std::uint64_t)) ? Status() : cut();  // only says how far to read ahead
      case Op::kMark: return marks_.push_back(stack_.size()), Status();
      case Op::kPop: return pop();
      case Op::kPopMark: return drop_to_mark();
      case Op::kDup: return available(1) ? (stack_.push_back(stack_.back()), Status()) : underflow();
      case Op::kNone: return push(PickleNone{});
      case Op::kNewTrue: return push(true);
      case Op::kNewFalse: return push(false);
      case Op::kBinInt: return integer<std::int32_t>();
      case Op::kBinInt1: return integer<std::uint8_t>();
      case Op::kBinInt2: return integer<std::uint16_t>();
      case Op::kLong1: return long_integer<std::uint8_t>();
      case Op::kLong4: return long_integer<std::uint32_t>();
      case Op::kBinFloat: return binary_float();
      case Op::kShortBinUnicode:
      case Op::kShortBinString: return text<std::uint8_t>();
      case Op::kBinUnicode:
      case Op::kBinString: return text<std::uint32_t>();
      case Op::kBinUnicode8: return text<std::uint64_t>();
      case Op::kShortBinBytes: return bytes<std::uint8_t>();
      case Op::kBinBytes: return bytes<std::uint32_t>();
      case Op::kBinBytes8:
      case Op::kByteArray8: return bytes<std::uint64_t>();
      case Op::kGlobal: return global_from_lines();
      case Op::kStackGlobal: return global_from_stack();
      case Op::kBinPut: return put<std::uint8_t>();
      case Op::kLongBinPut: return put<std::uint32_t>();
      case Op::kMemoize: return put_at(memo_.size());
      case Op::kBinGet: return get<std::uint8_t>();
      case Op::kLongBinGet: return get<std::uint32_t>();
      default: return step_container(op);
    }
  }

  Status step_container(Op op) {
    switch (op) {
      case Op::kEmptyList: return push(PickleList{});
      case Op::kEmptyTuple: return push(PickleTuple{});
      case Op::kEmptyDict: return push(PickleDict{});
      case Op::kEmptySet: return push(PickleSet{});
      case Op::kTuple1: return tuple(1);
      case Op::kTuple2: return tuple(2);
      case Op::kTuple3: return tuple(3);
      case Op::kTuple: return from_mark<PickleTuple>();
      case Op::kList: return from_mark<PickleList>();
      case Op::kFrozenSet: return from_mark<PickleSet>();
      case Op::kDict: return dict_from_mark();
      case Op::kAppend: return append_one();
      case Op::kAppends: return append_to<PickleList>("APPENDS");
      case Op::kAddItems: return append_to<PickleSet>("ADDITEMS");
      case Op::kSetItem: return available(3) ? set_items(stack_.size() - 2) : underflow();
      case Op::kSetItems: return set_items_from_mark();
      case Op::kReduce:
      case Op::kNewObj: return build_object(2);
      case Op::kNewObjEx: return build_object(3);
      case Op::kBuild: return set_state();
      case Op::kBinPersid: return persistent();
      default: break;
    }
    return refuse(fmt::format("opcode 0x{:02x}, which torch does not write", static_cast<unsigned>(op)));
  }

  // Values on top of the latest mark; those below belong to an outer container.
  [[nodiscard]] bool available(std::size_t count) const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()) >= count; }
  Error underflow() const { return refuse("takes more values than there are"); }
  Error mismatch(std::string_view action, const PickleValue& got, std::string_view wanted) const {
    return refuse(fmt::format("{} {}, expected {}", action, kind_of(got), wanted));
  }

  template <class T>
  Status push(T content) {
    stack_.push_back(&pickle_.values_.emplace_back(PickleValue{std::move(content)}));
    return {};
  }
  Ref take() {
    const Ref top = stack_.back();
    stack_.pop_back();
    return top;
  }

  Status protocol() {
    const auto version = cursor_.number<std::uint8_t>();
    if (!version) return cut();
    if (*version >= 2 && *version <= kNewestProtocol) return {};
    return refuse(fmt::format("protocol {}, expected 2 to {}", *version, kNewestProtocol));
  }

  Status pop() {
    if (!available(1)) return underflow();
    stack_.pop_back();
    return {};
  }

  // Where the values above the latest mark begin; the mark is used up.
  std::optional<std::size_t> take_mark() {
    if (marks_.empty()) return std::nullopt;
    const std::size_t mark = marks_.back();
    marks_.pop_back();
    return mark;
  }
  Status drop_to_mark() {
    const auto mark = take_mark();
    if (!mark) return underflow();
    stack_.resize(*mark);
    return {};
  }

  template <class T>
  Status integer() {
    const auto value = cursor_.number<T>();
    return value ? push(std::int64_t{*value}) : cut();
  }

  template <class Length>
  Status long_integer() {
    const auto length = cursor_.number<Length>();
    const auto taken = length ? cursor_.take(*length) : std::nullopt;
    if (!taken) return cut();
    if (taken->size() > sizeof(std::int64_t)) return push(PickleLong{*taken});
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < taken->size(); ++i) value |= std::to_integer<std::uint64_t>((*taken)[i]) << (8 * i);
    const std::size_t unused = 64 - 8 * taken->size();  // sign extension
    if (taken->empty()) return push(std::int64_t{0});
    return push(static_cast<std::int64_t>(value << unused) >> unused);
  }

  Status binary_float() {
    const auto bits = cursor_.number<std::uint64_t>();
    return bits ? push(std::bit_cast<double>(__builtin_bswap64(*bits))) : cut();
  }

  template <class Length>
  Status text() {
    const auto length = cursor_.number<Length>();
    const auto taken = length ? cursor_.take(*length) : std::nullopt;
    if (!taken) return cut();
    if (!is_utf8(text_of(*taken))) return refuse("text that is not UTF-8");
    return push(PickleText{text_of(*taken)});
  }
  template <class Length>
  Status bytes() {
    const auto length = cursor_.number<Length>();
    const auto taken = length ? cursor_.take(*length) : std::nullopt;
    return taken ? push(PickleBytes{*taken}) : cut();
  }

  Status push_global(std::string_view module, std::string_view name) {
    if (is_harmless_global(module, name)) return push(PickleGlobal{module, name});
    return fail(
        Error::Kind::kFormat,
        "pickle: names {}.{}, which is no part of a weight file: it may be an attack, and nothing was run (at its byte {})",
        printable(module), printable(name), position_);
  }
  Status global_from_lines() {
    const auto module = cursor_.line();
    const auto name = module ? cursor_.line() : std::nullopt;
    return name ? push_global(*module, *name) : cut();
  }
  Status global_from_stack() {
    if (!available(2)) return underflow();
    const auto* name = take()->as<PickleText>();
    const auto* module = take()->as<PickleText>();
    if (name == nullptr || module == nullptr) return refuse("names a global by something that is not text");
    return push_global(module->text, name->text);
  }

  Status put_at(std::size_t index) {
    if (!available(1)) return underflow();
    if (index >= Pickle::kOperationLimit) return refuse(fmt::format("memo index {} is too large", index));
    if (memo_.size() <= index) memo_.resize(index + 1, nullptr);
    memo_[index] = stack_.back();
    return {};
  }
  template <class T>
  Status put() {
    const auto index = cursor_.number<T>();
    return index ? put_at(*index) : cut();
  }
  template <class T>
  Status get() {
    const auto index = cursor_.number<T>();
    if (!index) return cut();
    if (*index >= memo_.size() || memo_[*index] == nullptr) return refuse(fmt::format("memo {} was never set", *index));
    stack_.push_back(memo_[*index]);
    return {};
  }

  Status tuple(std::size_t count) {
    if (!available(count)) return underflow();
    PickleTuple made{{stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end()}};
    stack_.resize(stack_.size() - count);
    return push(std::move(made));
  }
  template <class T>
  Status from_mark() {
    const auto mark = take_mark();
    if (!mark) return underflow();
    T made{{stack_.begin() + static_cast<std::ptrdiff_t>(*mark), stack_.end()}};
    stack_.resize(*mark);
    return push(std::move(made));
  }
  Status dict_from_mark() {
    const auto mark = take_mark();
    if (!mark) return underflow();
    FOVEA_TRY(push(PickleDict{}));
    const Ref dict = take();
    stack_.insert(stack_.begin() + static_cast<std::ptrdiff_t>(*mark), dict);
    return set_items(*mark + 1);
  }

  Status append_one() {
    if (!available(2)) return underflow();
    const Ref item = take();
    auto* list = std::get_if<PickleList>(&stack_.back()->content);
    if (list == nullptr) return mismatch("APPEND to", *stack_.back(), "a list");
    list->items.push_back(item);
    return {};
  }
  template <class T>
  Status append_to(std::string_view action) {
    const auto mark = take_mark();
    if (!mark || *mark == 0 || (!marks_.empty() && *mark == marks_.back())) return underflow();
    const Ref target = stack_[*mark - 1];
    auto* container = std::get_if<T>(&target->content);
    if (container == nullptr) return mismatch(fmt::format("{} to", action), *target, "a list or set");
    container->items.insert(container->items.end(), stack_.begin() + static_cast<std::ptrdiff_t>(*mark), stack_.end());
    stack_.resize(*mark);
    return {};
  }

  // Keys and values in turn, from `first` to the top, go into the dictionary just below them.
  Status set_items(std::size_t first) {
    const Ref target = stack_[first - 1];
    auto* dict = std::get_if<PickleDict>(&target->content);
    if (dict == nullptr) return mismatch("SETITEM on", *target, "a dictionary");
    if ((stack_.size() - first) % 2 != 0) return refuse("a key without a value");
    for (std::size_t i = first; i < stack_.size(); i += 2) dict->entries.emplace_back(stack_[i], stack_[i + 1]);
    stack_.resize(first);
    return {};
  }
  Status set_items_from_mark() {
    const auto mark = take_mark();
    if (!mark || *mark == 0 || (!marks_.empty() && *mark == marks_.back())) return underflow();
    return set_items(*mark);
  }

  // REDUCE, NEWOBJ, NEWOBJ_EX: a type and its arguments are remembered, not called. Mappings become dictionaries.
  Status build_object(std::size_t count) {
    if (!available(count)) return underflow();
    if (count == 3 && take()->as<PickleDict>() == nullptr) return refuse("keyword arguments that are not a dictionary");
    const Ref arguments = take();
    const Ref type = take();
    const auto* global = type->as<PickleGlobal>();
    if (global == nullptr) return mismatch("a call of", *type, "a global");
    const auto* tuple = arguments->as<PickleTuple>();
    if (tuple == nullptr) return mismatch("a call with", *arguments, "a tuple");
    if (global->module == "collections" && global->name != "deque") return push_mapping(*tuple);
    if (global->name == "getattr" && !is_enum_member(*tuple)) return refuse("getattr of something other than an enum's member");
    return push(PickleObject{type, arguments, nullptr});
  }

  static bool is_enum_member(const PickleTuple& arguments) {
    if (arguments.items.size() != 2 || arguments.items[0]->as<PickleGlobal>() == nullptr) return false;
    const auto* member = arguments.items[1]->as<PickleText>();
    return member != nullptr && !member->text.starts_with('_') && member->text.find('.') == std::string_view::npos;
  }

  // Python 2 gave the entries of an OrderedDict as a list of [key, value]; a Counter comes with a dictionary.
  Status push_mapping(const PickleTuple& arguments) {
    PickleDict dict;
    const PickleRef last = arguments.items.empty() ? nullptr : arguments.items.back();
    if (last != nullptr && last->as<PickleDict>() != nullptr) dict = *last->as<PickleDict>();
    if (last != nullptr && last->as<PickleList>() != nullptr) {
      for (const PickleRef item : last->as<PickleList>()->items) {
        const auto* pair = item->as<PickleList>();
        if (pair == nullptr || pair->items.size() != 2) return mismatch("an OrderedDict of", *item, "pairs");
        dict.entries.emplace_back(pair->items[0], pair->items[1]);
      }
    }
    operations_ += dict.entries.size();  // copies, which a short pickle could ask for again and again
    return push(std::move(dict));
  }

  Status set_state() {
    if (!available(2)) return underflow();
    const Ref state = take();
    if (stack_.back()->as<PickleDict>() != nullptr) return {};  // attributes of an OrderedDict: nothing that is needed
    auto* object = std::get_if<PickleObject>(&stack_.back()->content);
    if (object == nullptr) return mismatch("BUILD of", *stack_.back(), "an object");
    object->state = state;
    return {};
  }

  // torch's legacy writer gives a layer's class as ("module", class, source file, source text).
  Status persistent() {
    if (!available(1)) return underflow();
    const Ref id = take();
    const auto* tuple = id->as<PickleTuple>();
    if (tuple == nullptr) return mismatch("a persistent id that is", *id, "a tuple");
    const auto* tag = tuple->items.empty() ? nullptr : tuple->items[0]->as<PickleText>();
    if (tag != nullptr && tag->text == "module" && tuple->items.size() == 4 && tuple->items[1]->as<PickleGlobal>() != nullptr) {
      return push(*tuple->items[1]->as<PickleGlobal>());
    }
    return push(PicklePersistent{id});
  }

  ByteCursor cursor_;
  std::size_t position_ = 0;    // of the opcode at work
  std::size_t operations_ = 0;  // so far
  Pickle pickle_;
  std::vector<Ref> stack_;
  std::vector<std::size_t> marks_;
  std::vector<Ref> memo_;
};

Result<Pickle> Pickle::parse(Bytes bytes) { return Unpickler(bytes).run(); }

}  // namespace fovea
