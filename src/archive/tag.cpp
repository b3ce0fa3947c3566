// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>

#include "archive/catalog.h"
#include "archive/keywords.h"
#include "archive/tagger.h"
#include "archive/walk.h"
#include "core/error.h"
#include "core/hash.h"
#include "fovea/archive.h"

namespace fovea {
namespace {

using namespace archive;
namespace fs = std::filesystem;

// Photos that are classified while those before them are written.
constexpr std::size_t kChunk = 32;

// What would make a photo's keywords other ones.
Result<std::uint64_t> settings_of(const TagOptions& options) {
  FOVEA_ASSIGN(const MappedFile model, MappedFile::open(options.model));
  std::string text = fmt::format("2 {:x} {} {}", hash64(model.bytes()), static_cast<int>(options.write_to),
                                 options.min_probability ? fmt::to_string(*options.min_probability) : "of the model");
  for (const auto& [label, name] : options.names) text += fmt::format("\n{}\n{}", label, name);
  return std::max<std::uint64_t>(hash64(text), 1);
}

Result<Catalog> open_catalog(const TagOptions& options) {
  const fs::path path = options.catalog.empty() ? default_catalog() : options.catalog;
  if (!options.dry_run) return Catalog::open_for_writing(path);
  auto there = Catalog::open_for_reading(path);
  if (there || there.error().kind != Error::Kind::kNotFound) return there;
  return Catalog::temporary();
}

Result<void> check(const TagOptions& options) {
  if (options.paths.empty()) return fail(Error::Kind::kUsage, "no photos were named");
  if (options.min_probability && !(*options.min_probability >= 0 && *options.min_probability <= 1)) {
    return fail(Error::Kind::kUsage, "--min-probability {}: expected 0 to 1", *options.min_probability);
  }
  return {};
}

class TagRun {
 public:
  TagRun(const TagOptions& options, Catalog catalog, std::uint64_t settings, ArchiveObserver& observer)
      : options_(options), catalog_(std::move(catalog)), settings_(settings), observer_(observer) {
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
                 Classifier::open(options_.model, {options_.device, options_.threads, options_.deterministic}));
    observer_.on_note(fmt::format("device: {}", classifier.device()));
    for (const auto& [label, name] : options_.names) {
      if (std::ranges::find(classifier.classes(), label) == classifier.classes().end()) {
        return fail(Error::Kind::kUsage, "--map {}={}: the model has no class '{}'; it has {}", label, name, label,
                    fmt::join(classifier.classes(), ", "));
      }
    }
    Tagger tagger(context_, catalog_, options_,
                  {options_.model.stem().string(), options_.names, options_.min_probability, classifier.multi_label()},
                  settings_);
    begin_ = std::chrono::steady_clock::now();
    std::vector<SeenPhoto> waiting;
    for (std::size_t first = 0; first < todo.size() && !context_.stop_requested(); first += kChunk) {
      const std::size_t count = std::min(kChunk, todo.size() - first);
      std::future<Result<std::vector<Outcome>>> writing;
      if (!waiting.empty()) writing = std::async(std::launch::async, [&] { return tagger.write(waiting); });
      std::vector<SeenPhoto> seen = look_at(classifier, std::span(todo).subspan(first, count));
      if (writing.valid()) FOVEA_TRY(tell(writing.get(), todo.size()));
      waiting = std::move(seen);
    }
    return tell(tagger.write(waiting), todo.size());
  }

  std::vector<SeenPhoto> look_at(Classifier& classifier, std::span<const fs::path> paths) const {
    std::vector<SeenPhoto> seen(paths.size());
    const auto read = [&](std::size_t i) -> Result<std::vector<std::byte>> {
      seen[i].path = paths[i];
      FOVEA_ASSIGN(auto bytes, read_stamped(paths[i]));
      seen[i].stamp = bytes.stamp;
      seen[i].metadata = metadata::read_metadata(bytes.bytes);
      return std::move(bytes.bytes);
    };
    classifier.classify_each(paths.size(), read, [&](std::size_t i, const Result<Answer>& answer) {
      const bool named = answer || answer.error().message.starts_with(paths[i].string());
      seen[i].answer =
          named ? answer : Error{answer.error().kind, fmt::format("{}: {}", paths[i].string(), answer.error().message)};
      return true;
    });
    return seen;
  }

  Result<void> tell(const Result<std::vector<Outcome>>& outcomes, std::size_t total) {
    if (!outcomes) return outcomes.error();
    for (const Outcome& outcome : *outcomes) {
      ++done_;
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
