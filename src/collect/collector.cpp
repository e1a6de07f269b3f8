#include "collect/collector.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "core/file.hpp"
#include "core/ids.hpp"
#include "core/pools.hpp"
#include "core/text.hpp"

namespace volan::collect {
namespace {

namespace fs = std::filesystem;
using core::ErrorCode;
using core::fail;

constexpr std::size_t batch_documents = 64;  // per transaction, so that memory stays bounded

bool matches(const std::vector<std::string>& patterns, const std::string& locator) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return fnmatch(pattern.c_str(), locator.c_str(), 0) == 0; });
}

struct Listing {
  fs::path root;
  std::vector<std::string> locators;     // sorted
  std::vector<CollectFailure> failures;  // names that cannot be stored, links that lead out
};

core::Result<Listing> list_files(const SourceConfig& source) {
  std::error_code error;
  Listing listing{fs::canonical(source.folder, error), {}, {}};
  if (error || !fs::is_directory(listing.root, error))
    return fail(ErrorCode::not_found, "no folder " + source.folder, "folder",
                "correct `folder` of the source, or install what provides it");
  const auto options = fs::directory_options::skip_permission_denied;  // links to folders are not followed
  for (auto file = fs::recursive_directory_iterator(listing.root, options, error); !error && file != fs::end(file); file.increment(error)) {
    const std::string locator = file->path().lexically_relative(listing.root).string();
    if (!matches(source.include, locator) || matches(source.skip, locator)) continue;
    std::error_code ignored;
    if (!file->is_regular_file(ignored)) continue;
    if (!core::is_valid_utf8(locator)) {
      listing.failures.push_back({core::make_valid_utf8(locator), "its name is not UTF-8"});
    } else if (file->is_symlink(ignored) && !fs::canonical(file->path(), ignored).string().starts_with(listing.root.string() + "/")) {
      listing.failures.push_back({locator, "a link that leads out of the folder"});
    } else {
      listing.locators.push_back(locator);
    }
    if (std::cmp_greater(listing.locators.size() + listing.failures.size(), source.files_max))
      return fail(ErrorCode::too_large, fmt::format("more than {} files match in {}", source.files_max, source.folder), "files_max",
                  "raise `files_max` of the source or narrow `include`");
  }
  if (error) return fail(ErrorCode::internal, "cannot list " + source.folder + ": " + error.message(), "folder");
  if (listing.locators.empty() && listing.failures.empty())
    return fail(ErrorCode::invalid_argument, "no file in " + source.folder + " matches", "include",
                "correct `include` and `skip` of the source");
  std::sort(listing.locators.begin(), listing.locators.end());
  return listing;
}

// Two sources with the same name in one project are the same source: its documents keep their ids when the folder moves.
std::string document_id(const SourceConfig& source, std::string_view locator, std::string_view content_hash) {
  return core::Sha256().add_part("document").add_part(source.name).add_part(locator).add_part(content_hash).hex();
}

// The bytes, and everything in the configuration that ends up in the document.
std::string content_hash(const SourceConfig& source, std::string_view bytes) {
  return core::Sha256()
      .add_part(html_rules_version)
      .add_part(source.author)
      .add_part(core::text_of(source.category))
      .add_part(source.language)
      .add_part(source.url_prefix.empty() ? source.folder : source.url_prefix)
      .add_part(bytes)
      .hex();
}

std::string url_of(const SourceConfig& source, const fs::path& root, const std::string& locator) {
  return source.url_prefix.empty() ? "file://" + (root / locator).string() : source.url_prefix + locator;
}

core::Result<Document> to_document(const SourceConfig& source, const Listing& listing, const std::string& locator, std::string_view bytes,
                                   std::string hash, CollectReport& report) {
  HtmlLimits limits;
  limits.bytes_max = static_cast<std::uint64_t>(source.bytes_max);
  limits.nesting_max = static_cast<std::uint32_t>(source.nesting_max);
  VOLAN_TRY(HtmlPage page, read_html(bytes, limits));
  report.dropped_characters += static_cast<std::int64_t>(page.dropped_characters);
  return Document{.id = document_id(source, locator, hash),
                  .source = source.name,
                  .locator = locator,
                  .content_hash = std::move(hash),
                  .author = source.author,
                  .category = source.category,
                  .title = page.title.empty() ? locator : std::move(page.title),
                  .url = url_of(source, listing.root, locator),
                  .language = page.language.empty() ? source.language : std::move(page.language),
                  .sections = std::move(page.sections)};
}

// One pass; a class only because its parts share the report and the batch.
class Pass {
 public:
  Pass(std::string_view project, const SourceConfig& source, DocumentStore& store, core::Time now)
      : project_(project), source_(source), store_(store), now_(now) {
    report_.source = source.name;
  }

  core::Result<CollectReport> run(const CollectProgress& progress) {
    VOLAN_TRY(const Listing listing, list_files(source_));
    VOLAN_TRY(ledger_, store_.ledger(project_, source_.name));
    report_.found = static_cast<std::int64_t>(listing.locators.size() + listing.failures.size());
    for (const CollectFailure& failure : listing.failures) note_failure(failure.locator, {}, failure.error);
    for (std::size_t i = 0; i < listing.locators.size(); ++i) {
      read(listing, listing.locators[i]);
      if (batch_.read.size() >= batch_documents) VOLAN_TRY_VOID(write());
      if (progress) progress(static_cast<std::int64_t>(i + 1), report_.found);
    }
    for (const auto& [locator, entry] : ledger_)  // what is left was not found
      if (entry.state != DocumentState::gone) batch_.gone.push_back(locator);
    report_.gone = static_cast<std::int64_t>(batch_.gone.size());
    VOLAN_TRY_VOID(write());
    return std::move(report_);
  }

 private:
  void read(const Listing& listing, const std::string& locator) {
    const auto bytes = core::read_file((listing.root / locator).string(), static_cast<std::uint64_t>(source_.bytes_max));
    if (!bytes) return note_failure(locator, {}, bytes.error().message);
    report_.bytes += static_cast<std::int64_t>(bytes->size());
    std::string hash = content_hash(source_, *bytes);
    const auto known = ledger_.find(locator);
    const bool is_known = known != ledger_.end() && !known->second.document_id.empty();
    if (is_known && known->second.state == DocumentState::present && known->second.content_hash == hash) {
      ledger_.erase(known);
      ++report_.unchanged;
      return batch_.unchanged.push_back(locator);
    }
    auto document = to_document(source_, listing, locator, *bytes, hash, report_);
    if (!document) return note_failure(locator, hash, document.error().message);
    ++(is_known ? report_.changed : report_.created);
    ledger_.erase(locator);
    batch_.read.push_back(std::move(*document));
  }

  void note_failure(const std::string& locator, const std::string& hash, const std::string& error) {
    ledger_.erase(locator);
    ++report_.failed;
    report_.failures.push_back({locator, error});
    batch_.failed.push_back({locator, hash, error});
  }

  core::Result<> write() {
    VOLAN_TRY_VOID(store_.apply(project_, source_.name, batch_, now_));
    batch_ = {};
    return {};
  }

  std::string_view project_;
  const SourceConfig& source_;
  DocumentStore& store_;
  core::Time now_;
  CollectReport report_;
  std::map<std::string, LedgerEntry> ledger_;
  DocumentStore::Changes batch_;
};

}  // namespace

core::Result<> check(const SourceConfig& source) {
  const auto require = [](const std::string& value, const char* field) -> core::Result<> {
    if (!value.empty()) return {};
    return fail(ErrorCode::invalid_argument, "must not be empty", field, fmt::format("set `{}` of the source in volan.yaml", field));
  };
  VOLAN_TRY_VOID(require(source.name, "name"));
  VOLAN_TRY_VOID(require(source.folder, "folder"));
  VOLAN_TRY_VOID(require(source.author, "author"));
  if (std::any_of(source.name.begin(), source.name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }))
    return fail(ErrorCode::invalid_argument, "must not have control characters", "name", "it is part of keys: use a plain word");
  if (source.include.empty()) return fail(ErrorCode::invalid_argument, "must name at least one pattern", "include");
  if (source.files_max < 1 || source.files_max > 10'000'000) return fail(ErrorCode::invalid_argument, "must be 1 to 10000000", "files_max");
  if (source.bytes_max < 1 || source.bytes_max > (1 << 30))
    return fail(ErrorCode::invalid_argument, "must be 1 to 1073741824", "bytes_max");
  if (source.nesting_max < 1 || source.nesting_max > 10'000) return fail(ErrorCode::invalid_argument, "must be 1 to 10000", "nesting_max");
  return {};
}

core::Result<CollectReport> collect_folder(std::string_view project, const SourceConfig& source, DocumentStore& store,
                                           const core::Clock& clock, const CollectProgress& progress) {
  core::assert_may_block();
  VOLAN_TRY_VOID(check(source));
  const auto begin = std::chrono::steady_clock::now();
  VOLAN_TRY(CollectReport report, Pass(project, source, store, clock.now()).run(progress));
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return report;
}

}  // namespace volan::collect
