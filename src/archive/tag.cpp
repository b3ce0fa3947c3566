// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "archive/batch.h"
#include "archive/catalog.h"
#include "archive/keywords.h"
#include "archive/tagger.h"
#include "archive/walk.h"
#include "core/bounded_queue.h"
#include "core/error.h"
#include "core/hash.h"
#include "fovea/archive.h"
#include "fovea/figures.h"
#include "fovea/named_folders.h"

namespace fovea {
namespace {

using namespace archive;
namespace fs = std::filesystem;

// Photos that are written together, or fewer where so long has passed.
constexpr std::size_t kChunk = 32;
constexpr std::chrono::seconds kLongest(1);
// Chunks that may wait for the disk before those who classify do.
constexpr std::size_t kWaiting = 4;

// Photos from being read, on any thread, to being answered, in order.
class Desk {
 public:
  void put(std::size_t number, SeenPhoto photo) {
    const std::lock_guard lock(mutex_);
    photos_.emplace(number, std::move(photo));
  }
  /// One that was not put there is empty: the network failed before it was read.
  SeenPhoto take(std::size_t number) {
    const std::lock_guard lock(mutex_);
    auto found = photos_.extract(number);
    return found.empty() ? SeenPhoto{} : std::move(found.mapped());
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::size_t, SeenPhoto> photos_;
};

// What would make a photo's keywords other ones.
Result<std::uint64_t> settings_of(const TagOptions& options) {
  FOVEA_ASSIGN(const MappedFile model, MappedFile::open(options.model));
  std::string text = fmt::format("2 {:x} {} {}", hash64(model.bytes()), static_cast<int>(options.write_to),
                                 options.min_probability ? fmt::to_string(*options.min_probability) : "of the model");
  for (const auto& [label, name] : options.names) text += fmt::format("\n{}\n{}", label, name);
  return std::max<std::uint64_t>(hash64(text), 1);
}

Result<Catalog> open_catalog(const TagOptions& options) {
  FOVEA_ASSIGN(const fs::path path, Catalog::named(options.catalog));
  return options.dry_run ? Catalog::open_or_temporary(path) : Catalog::open_for_writing(path);
}

Result<void> check(const TagOptions& options) {
  if (options.paths.empty()) return fail(Error::Kind::kUsage, "no photos were named");
  if (options.min_probability && !(*options.min_probability >= 0 && *options.min_probability <= 1)) {
    return fail(Error::Kind::kUsage, "--min-probability {}: expected 0 to 1", *options.min_probability);
  }
  return options.dry_run ? Result<void>() : check_writable(options.paths);
}

class TagRun {
 public:
  TagRun(const TagOptions& options, Catalog catalog, std::uint64_t settings, ArchiveObserver& observer)
      : options_(options), catalog_(std::move(catalog)), settings_(settings), observer_(observer), folders_(options.paths) {
    context_.threads = options.threads > 0 ? options.threads : available_processors();
    context_.deterministic = options.deterministic;
    context_.stop = options.stop;
  }

  Result<TagReport> run() {
    const auto begin = std::chrono::steady_clock::now();
    observer_.on_progress({"looking", 0, 0});
    FOVEA_ASSIGN(const Walked walked,
                 walk(context_, options_.paths, &catalog_, [&](std::string_view text) { observer_.on_note(text); }));
    report_.photos = static_cast<std::int64_t>(walked.photos.size());
    FOVEA_ASSIGN(const auto todo, choose(walked));
    report_.unchanged = report_.photos - static_cast<std::int64_t>(todo.size());
    if (!todo.empty() && !context_.stop_requested()) FOVEA_TRY(work(todo));
    report_.stopped = context_.stop_requested();
    report_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return report_;
  }

 private:
  // Photos to be looked at. Of the others, words that another program has put into their sidecars are read again.
  Result<std::vector<fs::path>> choose(const Walked& walked) {
    std::vector<fs::path> todo;
    std::vector<KnownPhoto> reread;
    for (const fs::path& photo : walked.photos) {
      const auto known = walked.known.find(photo.native());
      const bool current = known != walked.known.end() && known->second.settings == settings_ && !options_.again &&
                           stamp_of(photo) == known->second.photo;
      const auto sidecar = current && !known->second.sidecar.empty() ? stamp_of(known->second.sidecar) : std::nullopt;
      if (!current || (!known->second.sidecar.empty() && !sidecar)) {
        todo.push_back(photo);
      } else if (sidecar && *sidecar != known->second.sidecar_stamp) {
        reread.push_back(known->second);
        reread.back().sidecar_stamp = *sidecar;
      }
    }
    if (reread.empty() || options_.dry_run) return todo;
    FOVEA_ASSIGN(database::Transaction transaction, database::Transaction::begin(catalog_.database()));
    for (const KnownPhoto& known : reread) {
      const auto text = read_stamped(known.sidecar);
      const auto xmp = text ? metadata::read_xmp(metadata::as_text(text->bytes)) : text.error();
      if (xmp) FOVEA_TRY(catalog_.put_words(known.id, xmp->facts.keywords, known.sidecar_stamp));
    }
    FOVEA_TRY(transaction.commit());
    return todo;
  }

  Result<void> work(const std::vector<fs::path>& todo) {
    FOVEA_ASSIGN(Classifier classifier,
                 Classifier::open(options_.model, {options_.device, options_.threads, options_.deterministic, true}));
    observer_.on_note(fmt::format("device: {}", classifier.device()));
    for (const auto& [label, name] : options_.names) {
      if (std::ranges::find(classifier.classes(), label) == classifier.classes().end()) {
        return fail(Error::Kind::kUsage, "--map {}={}: the model has no class '{}'; it has {}", label, name, label,
                    fmt::join(classifier.classes(), ", "));
      }
    }
    Tagger tagger(context_, catalog_, folders_, options_,
                  {options_.model.stem().string(), options_.names, options_.min_probability, classifier.multi_label()},
                  settings_);
    begin_ = std::chrono::steady_clock::now();
    Chunks chunks(kWaiting);
    std::future<Result<void>> written = std::async(std::launch::async, [&] { return write(tagger, chunks, todo.size()); });
    const Closing closing{chunks};
    look_at(classifier, todo, chunks);
    chunks.close();
    FOVEA_TRY(written.get());
    if (folders_.lost()) tell_lost(static_cast<std::int64_t>(todo.size()));
    return {};
  }

  // One line instead of one for each photo of a drive that is gone.
  void tell_lost(std::int64_t total) {
    const std::int64_t left = total - report_.tagged - report_.without - report_.failed;
    report_.failed += left;
    observer_.on_failure(options_.paths.front(), stopped_before(folders_, counted(left, "photo")));
  }

  using Chunks = BoundedQueue<std::vector<SeenPhoto>>;
  // Whatever happens to those who classify, the one who writes comes to an end.
  struct Closing {
    Chunks& chunks;
    ~Closing() { chunks.close(); }
  };

  // On all threads, while one more writes what was seen before.
  void look_at(Classifier& classifier, std::span<const fs::path> paths, Chunks& chunks) {
    Desk desk;
    const auto read = [&](std::size_t i) -> Result<std::vector<std::byte>> {
      SeenPhoto photo;
      photo.path = paths[i];
      auto bytes = read_stamped(paths[i]);
      if (bytes) {
        photo.stamp = bytes->stamp;
        photo.metadata = metadata::read_metadata(bytes->bytes);
      }
      desk.put(i, std::move(photo));
      if (!bytes) return bytes.error();
      return std::move(bytes->bytes);
    };
    std::vector<SeenPhoto> chunk;
    auto handed = std::chrono::steady_clock::now();
    classifier.classify_each(paths.size(), read, [&](std::size_t i, const Result<Answer>& answer) {
      chunk.push_back(desk.take(i));
      chunk.back().path = paths[i];
      const bool named = answer || answer.error().message.starts_with(paths[i].string());
      chunk.back().answer =
          named ? answer : Error{answer.error().kind, fmt::format("{}: {}", paths[i].string(), answer.error().message)};
      folders_.tell(paths[i], answer.ok());
      const bool go_on = !folders_.lost() && !context_.stop_requested();
      const auto now = std::chrono::steady_clock::now();
      if (chunk.size() < kChunk && now - handed < kLongest) return go_on;
      handed = now;
      return chunks.push(std::exchange(chunk, {})) && go_on;
    });
    if (!chunk.empty()) chunks.push(std::move(chunk));
  }

  Result<void> write(Tagger& tagger, Chunks& chunks, std::size_t total) {
    while (const auto chunk = chunks.pop()) {
      if (auto told = tell(tagger.write(*chunk), total); !told) {
        chunks.leave();
        return told;
      }
    }
    return {};
  }

  Result<void> tell(const Result<std::vector<Outcome>>& outcomes, std::size_t total) {
    if (!outcomes) return outcomes.error();
    for (const Outcome& outcome : *outcomes) {
      ++done_;
      if (outcome.error && folders_.lost()) continue;  // tell_lost says it for all
      if (outcome.error) {
        ++report_.failed;
        observer_.on_failure(outcome.photo.path, *outcome.error);
      } else {
        ++(outcome.photo.keywords.empty() ? report_.without : report_.tagged);
        observer_.on_photo(outcome.photo);
      }
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    const double rate = seconds > 0 ? static_cast<double>(done_) / seconds : 0;
    const auto left = static_cast<std::int64_t>(total) - done_;
    observer_.on_progress(
        {"tagging", done_, static_cast<std::int64_t>(total), rate, rate > 0 ? static_cast<double>(left) / rate : 0});
    return {};
  }

  const TagOptions& options_;
  Context context_;
  Catalog catalog_;
  std::uint64_t settings_;
  ArchiveObserver& observer_;
  NamedFolders folders_;
  TagReport report_;
  std::int64_t done_ = 0;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace

Result<TagReport> tag_photos(const TagOptions& options, ArchiveObserver* observer) {
  ArchiveObserver silent;
  FOVEA_TRY(check(options));
  FOVEA_ASSIGN(const std::uint64_t settings, settings_of(options));
  FOVEA_ASSIGN(Catalog catalog, open_catalog(options));
  return TagRun(options, std::move(catalog), settings, observer != nullptr ? *observer : silent).run();
}

}  // namespace fovea
