// SPDX-License-Identifier: Apache-2.0
#include "watch/photo_keeper.h"

#include <gtest/gtest.h>

#include "core/file.h"
#include "image/decode.h"
#include "support/paths.h"
#include "watch/pictures.h"

namespace fovea::watching {
namespace {

using test::TemporaryFolder;
namespace fs = std::filesystem;

TEST(PhotoKeeper, KeepsTheBytesOrAThumbnailOrNothing) {
  const TemporaryFolder folder;
  const Picture picture = picture_of(800, 600, 100);
  const Image photo = decode_image(picture).value();
  const auto all = PhotoKeeper(folder / "all", KeepPhotos::kAll, 1000).keep(time_of(0), picture, photo);
  ASSERT_TRUE(all.ok()) << all.error().message;
  EXPECT_EQ(all->path, folder / "all/2026/09/21/20260921T142000Z.jpg");
  EXPECT_EQ(read_file(all->path, 1 << 20).value(), picture);
  EXPECT_EQ(all->bytes, static_cast<std::int64_t>(picture.size()));

  const auto small = PhotoKeeper(folder / "small", KeepPhotos::kThumbnails, 1000).keep(time_of(0), picture, photo);
  ASSERT_TRUE(small.ok());
  const Image thumbnail = load_image(small->path).value();
  EXPECT_EQ(thumbnail.width, kThumbnailSide);
  EXPECT_EQ(thumbnail.height, 240);

  const PhotoKeeper none(folder / "none", KeepPhotos::kNone, 1000);
  EXPECT_TRUE(none.keep(time_of(0), picture, photo)->path.empty());
  EXPECT_TRUE(none.page_picture(photo).empty());
  EXPECT_FALSE(fs::exists(folder / "none"));
}

TEST(PhotoKeeper, APhotoOfTheSameTimeIsNotOverwritten) {
  const TemporaryFolder folder;
  const PhotoKeeper keeper(folder.path(), KeepPhotos::kAll, 1000);
  const Picture picture = picture_of(8, 8, 1);
  const Image photo = decode_image(picture).value();
  EXPECT_NE(keeper.keep(time_of(0), picture, photo)->path, keeper.keep(time_of(0), picture, photo)->path);
}

TEST(PhotoKeeper, TheOldestGoFirstUntilTheRestFits) {
  const TemporaryFolder folder;
  auto store = Store::open(folder / "w.db");
  ASSERT_TRUE(store.ok());
  const Picture picture = picture_of(64, 64, 50);
  const auto size = static_cast<std::int64_t>(picture.size());
  const PhotoKeeper keeper(folder / "p", KeepPhotos::kAll, 2 * size + size / 2);
  std::vector<fs::path> paths;
  for (int i = 0; i < 5; ++i) {
    const auto file = keeper.keep(time_of(200 * i), picture, decode_image(picture).value());
    ASSERT_TRUE(file.ok());
    WatchRecord record = classified(200 * i);
    record.photo = file->path;
    paths.push_back(file->path);
    ASSERT_TRUE(store->add(record, {file->bytes, {}}).ok());
  }
  // Somebody put another file in the place of the second: it is theirs now.
  write_picture(paths[1], picture_of(100, 100, 7));
  EXPECT_EQ(keeper.trim(*store).value(), 2);
  EXPECT_FALSE(fs::exists(paths[0]));
  EXPECT_FALSE(fs::exists(paths[0].parent_path())) << "an empty folder was left behind";
  EXPECT_TRUE(fs::exists(paths[1]));
  EXPECT_FALSE(fs::exists(paths[2]));
  EXPECT_TRUE(fs::exists(paths[3]));
  EXPECT_TRUE(fs::exists(paths[4]));
  EXPECT_EQ(keeper.trim(*store).value(), 0);
}

}  // namespace
}  // namespace fovea::watching
