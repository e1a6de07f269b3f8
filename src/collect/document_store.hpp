/// The ledger of what was read from where and when, and the documents it gave.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "collect/types.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace volan::storage {
class Database;
}

namespace volan::collect {

enum class DocumentState { present, gone, failed };
constexpr auto describe(const DocumentState*) {
  using enum DocumentState;
  return core::names("DocumentState", core::name(present, "present"), core::name(gone, "gone"), core::name(failed, "failed"));
}

/// What the ledger knows about one place of a source.
struct LedgerEntry {
  DocumentState state = DocumentState::present;
  std::string content_hash;  ///< of the bytes read last
  std::string document_id;   ///< the version in use; empty when none was ever good
};

/// A document without its text.
struct DocumentHead {
  std::string id;
  std::string source;
  std::string locator;
  std::string author;
  std::string category;
  std::string title;
  std::string url;
  std::string language;
  std::string state;
  std::string error;  ///< why the last reading failed; the version in use is then an older one
  core::Time first_seen;
  core::Time last_seen;
  core::Time changed;
};
constexpr auto describe(const DocumentHead*) {
  return core::object(
      "Document", core::field("id", &DocumentHead::id, "Hash of source, locator and content; empty when it could never be read."),
      core::field("source", &DocumentHead::source, "Name of the source."),
      core::field("locator", &DocumentHead::locator, "Place inside the source."),
      core::field("author", &DocumentHead::author, "Who wrote it."),
      core::field("category", &DocumentHead::category, "article, post or repository."),
      core::field("title", &DocumentHead::title, "Its title."), core::field("url", &DocumentHead::url, "Where a reader finds it."),
      core::field("language", &DocumentHead::language, "BCP 47 tag, may be empty."),
      core::field("state", &DocumentHead::state, "present, gone or failed."),
      core::field("error", &DocumentHead::error, "Why the last reading failed."),
      core::field("first_seen", &DocumentHead::first_seen, "When it was first read."),
      core::field("last_seen", &DocumentHead::last_seen, "When it was last found."),
      core::field("changed", &DocumentHead::changed, "When its content last changed."));
}

/// A page of a listing. `after` is the key of the last row of the page before (source and locator), empty for the first page.
struct DocumentQuery {
  std::string source{};
  std::string author{};
  std::string category{};
  std::string state{};
  std::string after_source{};
  std::string after_locator{};
  std::int64_t limit = 50;
};

/// Thread-safe. Blocking: call it in the disk pool. Everything is inside one project. `database` must outlive it.
class DocumentStore {
 public:
  /// Applies the migrations.
  static core::Result<DocumentStore> open(storage::Database& database);

  core::Result<std::map<std::string, LedgerEntry>> ledger(std::string_view project, std::string_view source);

  /// What one pass over a source found; written in one transaction.
  struct Changes {
    std::vector<Document> read;          ///< new or changed
    std::vector<std::string> unchanged;  ///< locators
    std::vector<std::string> gone;       ///< locators; their text is deleted
    struct Failure {
      std::string locator;
      std::string content_hash;
      std::string error;
    };
    std::vector<Failure> failed;  ///< an older version stays in use
  };
  core::Result<> apply(std::string_view project, std::string_view source, const Changes& changes, core::Time now);

  /// Documents in use, ordered by source and locator.
  core::Result<std::vector<DocumentHead>> in_use(std::string_view project);
  /// Whole document. Errors: not_found; data_loss when the stored text does not decode.
  core::Result<Document> load(std::string_view project, std::string_view id);
  core::Result<DocumentHead> head(std::string_view project, std::string_view id);
  core::Result<std::vector<DocumentHead>> list(std::string_view project, const DocumentQuery& query);

 private:
  explicit DocumentStore(storage::Database& database) : database_(&database) {}
  storage::Database* database_;
};

}  // namespace volan::collect
