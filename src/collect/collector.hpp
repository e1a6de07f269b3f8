/// Reads a folder of pages of one author into documents, again and again: only what changed is read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "collect/document_store.hpp"
#include "collect/html.hpp"
#include "collect/types.hpp"
#include "core/fields.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace volan::collect {

/// A source in `volan.yaml`.
struct SourceConfig {
  static constexpr bool lenient_defaults = true;
  std::string name{};
  std::string folder{};
  std::string author{};
  Category category = Category::article;
  std::string language{};
  std::string url_prefix{};                             ///< put before the locator; empty = file:// and the path
  std::vector<std::string> include{"*.html", "*.htm"};  ///< patterns of fnmatch(3) on the locator, '*' also matches '/'
  std::vector<std::string> skip{};                      ///< win over include
  std::int64_t files_max = 100'000;
  std::int64_t bytes_max = 16 << 20;
  std::int64_t nesting_max = 512;
};
constexpr auto describe(const SourceConfig*) {
  return core::object(
      "SourceConfig", core::field("name", &SourceConfig::name, "Name of the source, unique in the project."),
      core::field("folder", &SourceConfig::folder, "Folder of HTML pages; read with its subfolders."),
      core::field("author", &SourceConfig::author, "Who wrote the pages."),
      core::field("category", &SourceConfig::category, "article, post or repository: decides how texts are cleaned and cut."),
      core::field("language", &SourceConfig::language, "BCP 47 tag for pages that do not say theirs."),
      core::field("url_prefix", &SourceConfig::url_prefix, "Put before the path of a page to make its address."),
      core::field("include", &SourceConfig::include, "File patterns to read, for example *.html."),
      core::field("skip", &SourceConfig::skip, "File patterns to leave out, for example index pages."),
      core::field("files_max", &SourceConfig::files_max, "More files than this is an error."),
      core::field("bytes_max", &SourceConfig::bytes_max, "Larger files fail, the others are read."),
      core::field("nesting_max", &SourceConfig::nesting_max, "Pages with deeper nested tags fail."));
}

struct CollectFailure {
  std::string locator;
  std::string error;
};
constexpr auto describe(const CollectFailure*) {
  return core::object("CollectFailure", core::field("locator", &CollectFailure::locator, "The file."),
                      core::field("error", &CollectFailure::error, "Why it could not be read."));
}

/// What one pass over a source did. found = created + changed + unchanged + failed.
struct CollectReport {
  static constexpr bool lenient_defaults = true;
  std::string source;
  std::int64_t found = 0;
  std::int64_t created = 0;
  std::int64_t changed = 0;
  std::int64_t unchanged = 0;
  std::int64_t gone = 0;
  std::int64_t failed = 0;
  std::int64_t bytes = 0;               ///< of all files found
  std::int64_t dropped_characters = 0;  ///< navigation in the pages read now
  double seconds = 0;
  std::vector<CollectFailure> failures;
};
constexpr auto describe(const CollectReport*) {
  return core::object("CollectReport", core::field("source", &CollectReport::source, "Name of the source."),
                      core::field("found", &CollectReport::found, "Files that match."),
                      core::field("created", &CollectReport::created, "Read for the first time."),
                      core::field("changed", &CollectReport::changed, "Read again."),
                      core::field("unchanged", &CollectReport::unchanged, "Same content as before."),
                      core::field("gone", &CollectReport::gone, "No longer there."),
                      core::field("failed", &CollectReport::failed, "Could not be read; an older version stays in use."),
                      core::field("bytes", &CollectReport::bytes, "Size of all files found."),
                      core::field("dropped_characters", &CollectReport::dropped_characters, "Navigation left out of the pages read now."),
                      core::field("seconds", &CollectReport::seconds, "How long it took."),
                      core::field("failures", &CollectReport::failures, "The files that failed."));
}

/// Called now and then with the files done and the files found.
using CollectProgress = std::function<void(std::int64_t done, std::int64_t found)>;

/// Reads what is new or changed in the folder into `store`. A file that fails is reported and never fails the whole.
/// A link that leads out of the folder fails; what is not a regular file is left out.
/// Errors:  invalid_argument for an incomplete configuration or when no file matches (then nothing is marked as gone), not_found for a
///          missing folder, too_large beyond files_max, and those of the store.
/// Cost:    reads every file and hashes it; parses only what changed. Blocking: run it in the disk pool. Two passes over one source must
/// not overlap.
core::Result<CollectReport> collect_folder(std::string_view project, const SourceConfig& source, DocumentStore& store,
                                           const core::Clock& clock, const CollectProgress& progress = {});

/// Checks what the field list cannot. `path` names the field. Errors: invalid_argument.
core::Result<> check(const SourceConfig& source);

}  // namespace volan::collect
