// SPDX-License-Identifier: Apache-2.0
#include "database/connection.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/paths.h"

namespace fovea::database {
namespace {

using test::TemporaryFolder;

std::int64_t count(Connection& connection) {
  auto statement = connection.prepare("SELECT count(*) FROM t");
  EXPECT_TRUE(statement.ok() && statement->step().ok());
  return statement->integer(0);
}

TEST(Connection, EveryKindOfValueComesBack) {
  const TemporaryFolder folder;
  auto connection = Connection::open(folder / "a.db");
  ASSERT_TRUE(connection.ok()) << connection.error().message;
  ASSERT_TRUE(connection->execute("CREATE TABLE t (i INTEGER, r REAL, s TEXT, b BLOB, n TEXT)").ok());
  auto insert = connection->prepare("INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5)");
  ASSERT_TRUE(insert.ok());
  const std::string zero("a\0b", 3);
  const std::vector<std::byte> bytes = {std::byte{0}, std::byte{255}};
  const std::int64_t large = std::int64_t{1} << 60;
  ASSERT_TRUE(insert->run(large, 0.1, zero, Bytes(bytes), std::optional<std::string>()).ok());
  ASSERT_TRUE(insert->run(-1, 2.0, "", Bytes(), std::optional<std::string>("x")).ok());
  EXPECT_EQ(connection->last_row_id(), 2);
  EXPECT_EQ(connection->changes(), 1);

  auto select = connection->prepare("SELECT * FROM t ORDER BY rowid");
  ASSERT_TRUE(select.ok() && select->start().ok());
  ASSERT_TRUE(select->step().value());
  EXPECT_EQ(select->integer(0), large);
  EXPECT_EQ(select->real(1), 0.1);
  EXPECT_EQ(select->text(2), zero);
  EXPECT_EQ(select->blob(3), bytes);
  EXPECT_TRUE(select->is_null(4));
  EXPECT_EQ(select->text(4), "");
  ASSERT_TRUE(select->step().value());
  EXPECT_FALSE(select->is_null(2));
  EXPECT_TRUE(select->blob(3).empty());
  EXPECT_EQ(select->text(4), "x");
  EXPECT_FALSE(select->step().value());
}

TEST(Connection, ATransactionIsAllOrNothing) {
  const TemporaryFolder folder;
  auto connection = Connection::open(folder / "a.db");
  ASSERT_TRUE(connection.ok() && connection->execute("CREATE TABLE t (i INTEGER UNIQUE)").ok());
  {
    auto transaction = Transaction::begin(*connection);
    ASSERT_TRUE(transaction.ok() && connection->execute("INSERT INTO t VALUES (1)").ok());
  }
  EXPECT_EQ(count(*connection), 0);
  auto transaction = Transaction::begin(*connection);
  ASSERT_TRUE(transaction.ok() && connection->execute("INSERT INTO t VALUES (1)").ok());
  ASSERT_TRUE(transaction->commit().ok());
  EXPECT_EQ(count(*connection), 1);
}

TEST(Connection, TheVersionStaysInTheFile) {
  const TemporaryFolder folder;
  EXPECT_EQ(Connection::open(folder / "a.db")->version().value(), 0);
  EXPECT_TRUE(Connection::open(folder / "a.db")->set_version(7).ok());
  EXPECT_EQ(Connection::open(folder / "a.db", Access::kReadOnly)->version().value(), 7);
}

TEST(Connection, ErrorsNameTheFileAndTheirKind) {
  const TemporaryFolder folder;
  EXPECT_EQ(Connection::open(folder / "absent.db", Access::kReadOnly).error().kind, Error::Kind::kNotFound);
  EXPECT_EQ(Connection::open(folder / "no/such/folder.db").error().kind, Error::Kind::kIo);
  std::ofstream(folder / "photo.db") << std::string(2000, 'x');
  const auto photo = Connection::open(folder / "photo.db");
  EXPECT_EQ(photo.error().kind, Error::Kind::kFormat);
  EXPECT_NE(photo.error().message.find("photo.db"), std::string::npos) << photo.error().message;
  auto connection = Connection::open(folder / "a.db");
  EXPECT_EQ(connection->prepare("SELEC").error().kind, Error::Kind::kUsage);
}

TEST(Connection, AnotherProgramsLockIsAnErrorAfterTheWait) {
  const TemporaryFolder folder;
  auto first = Connection::open(folder / "a.db");
  auto second = Connection::open(folder / "a.db", Access::kCreate, std::chrono::milliseconds(10));
  ASSERT_TRUE(first.ok() && second.ok());
  {
    const auto held = Transaction::begin(*first);
    const auto refused = Transaction::begin(*second);
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().message.find("locked"), std::string::npos) << refused.error().message;
  }
  EXPECT_TRUE(Transaction::begin(*second).ok());
}

TEST(Connection, WhenNothingMoreFitsTheRowsBeforeStay) {
  const TemporaryFolder folder;
  auto connection = Connection::open(folder / "a.db");
  ASSERT_TRUE(connection.ok() && connection->execute("CREATE TABLE t (s TEXT); INSERT INTO t VALUES ('first')").ok());
  ASSERT_TRUE(connection->execute("PRAGMA max_page_count = 3").ok());
  auto insert = connection->prepare("INSERT INTO t VALUES (?1)");
  const auto full = insert->run(std::string(100000, 'x'));
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().kind, Error::Kind::kIo);
  EXPECT_NE(full.error().message.find("full"), std::string::npos) << full.error().message;
  EXPECT_EQ(count(*connection), 1);
  EXPECT_TRUE(insert->run("second").ok());
  EXPECT_EQ(count(*connection), 2);
}

}  // namespace
}  // namespace fovea::database
