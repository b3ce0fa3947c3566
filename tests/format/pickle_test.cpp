// SPDX-License-Identifier: Apache-2.0
#include "format/pickle.h"

#include "format/builders.h"
#include "format/pickle_lookup.h"

namespace fovea {
namespace {

using test::bytes_of;
using test::raw;
using testing::HasSubstr;
namespace py = test::py;

// That `body`, as the inside of a pickle, is refused with a message that holds `reason`.
void expect_refused(const std::string& body, const char* reason) {
  const std::string file = py::whole(body);
  const auto pickle = Pickle::parse(bytes_of(file));
  ASSERT_FALSE(pickle.ok()) << "accepted, expected: " << reason;
  EXPECT_THAT(pickle.error().message, HasSubstr(reason));
  EXPECT_THAT(pickle.error().message, testing::Not(HasSubstr("\n")));
}

// The root when `file` is one whole pickle; the caller keeps both alive.
const PickleValue* root_of(const Result<Pickle>& pickle) {
  EXPECT_TRUE(pickle.ok()) << pickle.error().message;
  return pickle.ok() ? &pickle->root() : nullptr;
}

TEST(Pickle, ReadsEveryScalar) {
  const std::string file = py::whole("(N\x88\x89K\xFFM\x01\x80J\xFE\xFF\xFF\xFF" + std::string("\x8A\x00", 2) + "\x8A\x01\x80" +
                                     std::string("\x8A\x02\xFF\x00", 4) + std::string("G\x40\x04\x00\x00\x00\x00\x00\x00", 9) +
                                     py::text("é") + "U\x02hiC\x02\xFF\xFEt");
  const auto pickle = Pickle::parse(bytes_of(file));
  const PickleValue* root = root_of(pickle);
  ASSERT_NE(root, nullptr);
  const auto& items = root->as<PickleTuple>()->items;
  ASSERT_EQ(items.size(), 13U);
  EXPECT_NE(items[0]->as<PickleNone>(), nullptr);
  EXPECT_TRUE(*items[1]->as<bool>());
  EXPECT_FALSE(*items[2]->as<bool>());
  const std::int64_t integers[] = {255, 0x8001, -2, 0, -128, 255};
  for (std::size_t i = 0; i < std::size(integers); ++i) EXPECT_EQ(*items[3 + i]->as<std::int64_t>(), integers[i]) << i;
  EXPECT_EQ(*items[9]->as<double>(), 2.5);
  EXPECT_EQ(items[10]->as<PickleText>()->text, "é");
  EXPECT_EQ(items[11]->as<PickleText>()->text, "hi");
  EXPECT_EQ(items[12]->as<PickleBytes>()->bytes.size(), 2U);
}

TEST(Pickle, ReadsOneAndSaysWhereItEnds) {
  const std::string file = py::whole("N") + "what follows";
  const auto pickle = Pickle::parse(bytes_of(file));
  ASSERT_NE(root_of(pickle), nullptr);
  EXPECT_EQ(pickle->size(), 4U);
}

TEST(Pickle, SharedValuesAndCirclesStayShared) {
  const std::string file =
      py::whole("]q" + std::string(1, '\0') + "(h" + std::string(1, '\0') + "h" + std::string(1, '\0') + "e");
  const auto pickle = Pickle::parse(bytes_of(file));
  const PickleValue* root = root_of(pickle);
  ASSERT_NE(root, nullptr);
  EXPECT_THAT(root->as<PickleList>()->items, testing::ElementsAre(root, root));
}

TEST(Pickle, MappingsOfCollectionsAreDictionariesAndTheLastOfARepeatedKeyCounts) {
  const std::string pairs = py::list({py::list({py::text("a"), "N"}), py::list({py::text("a"), py::integer(7)})});
  const std::string file = py::whole(py::call(py::global("collections", "OrderedDict"), {pairs}) + py::text("b") + "\x88s");
  const auto pickle = Pickle::parse(bytes_of(file));
  const PickleValue* root = root_of(pickle);
  ASSERT_NE(root, nullptr);
  const auto* dict = root->as<PickleDict>();
  ASSERT_NE(dict, nullptr);
  EXPECT_EQ(*find_as<std::int64_t>(*dict, "a"), 7);
  EXPECT_TRUE(*find_as<bool>(*dict, "b"));
  EXPECT_EQ(find_key(*dict, "c"), nullptr);
}

TEST(Pickle, ObjectsAreOnlyRemembered) {
  const std::string file = py::whole(py::object("ultralytics.nn.modules.conv", "Conv", {py::text("i"), py::integer(3)}));
  const auto pickle = Pickle::parse(bytes_of(file));
  const PickleValue* root = root_of(pickle);
  ASSERT_NE(root, nullptr);
  const auto* object = root->as<PickleObject>();
  ASSERT_NE(object, nullptr);
  EXPECT_EQ(object->type->as<PickleGlobal>()->name, "Conv");
  EXPECT_EQ(*find_as<std::int64_t>(*object->state->as<PickleDict>(), "i"), 3);
}

TEST(PickleRefuses, GlobalsThatAreNoPartOfAWeightFileByName) {
  const std::pair<const char*, const char*> hostile[] = {{"os", "system"},
                                                         {"posix", "system"},
                                                         {"subprocess", "Popen"},
                                                         {"builtins", "eval"},
                                                         {"builtins", "exec"},
                                                         {"__builtin__", "eval"},
                                                         {"builtins", "open"},
                                                         {"builtins", "__import__"},
                                                         {"runpy", "_run_code"},
                                                         {"nt", "system"},
                                                         {"sys", "exit"},
                                                         {"importlib", "import_module"},
                                                         {"torchx", "anything"},
                                                         {"tor", "ch"},
                                                         {"__main__", "Model"},
                                                         {"numpy.testing", "runstring"},
                                                         {"torch.serialization", "os.system"},
                                                         {"torch", ""},
                                                         {"collectionsx", "OrderedDict"},
                                                         {"operator", "attrgetter"}};
  for (const auto& [module, name] : hostile) {
    const std::string full = std::string(module) + "." + name;
    expect_refused(py::call(py::global(module, name), {py::text("id")}), full.c_str());
    expect_refused(py::text(module) + py::text(name) + "\x93)R", full.c_str());
  }
  expect_refused(py::global("os\x1b[2J", "system"), "os\\x1b[2J.system");
}

TEST(PickleRefuses, GetattrOfAnythingButAnEnumsMember) {
  const std::string getattr = py::global("__builtin__", "getattr");
  const std::string mode = py::global("torchvision.transforms.functional", "InterpolationMode");
  ASSERT_TRUE(Pickle::parse(bytes_of(py::whole(py::call(getattr, {mode, py::text("BILINEAR")})))).ok());
  expect_refused(py::call(getattr, {mode, py::text("__class__")}), "getattr");
  expect_refused(py::call(getattr, {mode, py::text("a.b")}), "getattr");
  expect_refused(py::call(getattr, {py::text("os"), py::text("system")}), "getattr");
  expect_refused(py::call(getattr, {mode}), "getattr");
}

TEST(PickleRefuses, CallingWhatACallGave) {
  const std::string called = py::call(py::global("torch", "device"), {py::text("cpu")});
  expect_refused(py::call(called, {}), "a call of an object");
  expect_refused(py::text("os.system") + ")R", "a call of text");
  expect_refused(py::global("torch", "device") + "]R", "a call with a list");
  expect_refused(py::global("torch", "device") + "N\x81", "a call with None");
}

TEST(PickleRefuses, OperandsOfTheWrongKind) {
  expect_refused("]K\x01K\x02s", "SETITEM on a list");
  expect_refused("K\x01K\x02K\x03s", "SETITEM on an integer");
  expect_refused(py::call(py::global("torch", "device"), {}) + "K\x01K\x02s", "SETITEM on an object");
  expect_refused(")(K\x01K\x02u", "SETITEM on a tuple");
  expect_refused("}(K\x01u", "key without a value");
  expect_refused(
      "}K\x01"
      "a",
      "APPEND to a dictionary");
  expect_refused(
      "}(K\x01"
      "e",
      "APPENDS to a dictionary");
  expect_refused("](K\x01\x90", "ADDITEMS to a list");
  expect_refused("]}b", "BUILD of a list");
  expect_refused("K\x01Q", "persistent id that is an integer");
  expect_refused("K\x01K\x02\x93", "names a global by something that is not text");
  expect_refused(py::call(py::global("collections", "OrderedDict"), {py::list({"K\x01"})}), "pairs");
}

TEST(PickleRefuses, TakingMoreThanThereIs) {
  for (const char* body :
       {"0",    "2",    "1",    "t",    "l",    "d",    "e",    "u",  "a",         "s",          "b",  "R",  "Q",   "q\x05",
        "\x85", "\x86", "\x87", "\x81", "\x92", "\x93", "\x94", "(0", "](K\x01(e", "}(u(K\x01s", "(e", "(u", "((e", "N(\x85"}) {
    const auto pickle = Pickle::parse(bytes_of(py::whole(body)));
    EXPECT_FALSE(pickle.ok()) << body;
  }
  expect_refused("", "ends with 0 values");
  expect_refused("NN", "ends with 2 values");
  expect_refused("N(", "ends with 1 values");
  expect_refused("h\x05", "memo 5");
  expect_refused(std::string("j\x00\x00\x00\x01", 5), "memo 16777216");
  expect_refused("N" + std::string("r\xFF\xFF\xFF\xFF", 5), "memo index");
}

TEST(PickleRefuses, LengthsBeyondTheFile) {
  for (const std::string head : {"X", "T", "B", "\x8B"}) expect_refused(head + raw(std::uint32_t{0xFFFFFFFF}), "too early");
  for (const std::string head : {"\x8D", "\x8E", "\x96"}) expect_refused(head + raw(~std::uint64_t{0}), "too early");
  for (const std::string head : {"U", "C", "\x8A", "\x8C"}) expect_refused(head + "\xFF", "too early");
  expect_refused("X" + raw(std::uint32_t{1}) + "\xFF", "not UTF-8");
  expect_refused("cos", "too early");
}

TEST(PickleRefuses, OpcodesThatTorchDoesNotWrite) {
  for (const char* body : {"I1\n", "S'a'\n", "V\n", "P1\n", "ios\nsystem\n", "(cos\nsystem\no", "\x82\x01", "\x83\x01\x01",
                           "\x97", "\x98", "F1\n"}) {
    const auto pickle = Pickle::parse(bytes_of(py::whole(body)));
    EXPECT_FALSE(pickle.ok()) << body;
  }
  expect_refused("ios\nsystem\n", "opcode 0x69");
  EXPECT_FALSE(Pickle::parse(bytes_of("N.")).ok()) << "without a protocol";
  EXPECT_FALSE(Pickle::parse(bytes_of("\x80\x01N.")).ok());
  EXPECT_FALSE(Pickle::parse(bytes_of("\x80\x06N.")).ok());
}

TEST(PickleRefuses, EveryTruncation) {
  const std::string file = py::whole(py::dict({py::text("w"), py::floats("0", 2), py::text("n"), py::integer(5)}));
  ASSERT_TRUE(Pickle::parse(bytes_of(file)).ok());
  for (std::size_t size = 0; size < file.size(); ++size) EXPECT_FALSE(Pickle::parse(bytes_of(file).first(size)).ok()) << size;
}

TEST(PickleLimits, ValuesNestedWithoutEndNeedNoStack) {
  std::string body;
  for (int i = 0; i < 500'000; ++i) body += "]";
  for (int i = 0; i < 499'999; ++i) body += "a";
  EXPECT_TRUE(Pickle::parse(bytes_of(py::whole(body))).ok());
}

TEST(PickleLimits, OperationsAreCounted) {
  const std::string file = py::whole(std::string(3'000'000, '}'));
  const auto pickle = Pickle::parse(bytes_of(file));
  ASSERT_FALSE(pickle.ok());
  EXPECT_EQ(pickle.error().kind, Error::Kind::kLimit);
}

// Nine bytes that copy a dictionary, again and again, must not cost more than they count.
TEST(PickleLimits, CopiesOfADictionaryAreCounted) {
  std::string body = "}q" + std::string(1, '\0') + "(";
  for (int i = 0; i < 1000; ++i) body += "K\x01N";
  body += "u";
  const std::string counter = py::global("collections", "Counter") + "q\x01";
  body += counter;
  for (int i = 0; i < 10'000; ++i) body += std::string("h\x01h\x00\x85R0", 7);
  const auto pickle = Pickle::parse(bytes_of(py::whole(body)));
  ASSERT_FALSE(pickle.ok());
  EXPECT_EQ(pickle.error().kind, Error::Kind::kLimit);
}

}  // namespace
}  // namespace fovea
