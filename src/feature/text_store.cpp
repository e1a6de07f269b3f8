#include "feature/text_store.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "core/file.hpp"
#include "core/pools.hpp"
#include "feature/lexical_query.hpp"
#include "feature/sqlite.hpp"

namespace volan::feature {
namespace {

// The index reads its text from the table (external content), so each text is stored once. porter() finds "namespaces" for "namespace".
constexpr const char* schema =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA page_size = 8192;"
    "CREATE TABLE chunks (row INTEGER PRIMARY KEY, id TEXT NOT NULL, document_id TEXT NOT NULL, section INTEGER NOT NULL, title TEXT NOT "
    "NULL, heading TEXT NOT NULL, "
    "leaf TEXT NOT NULL, url TEXT NOT NULL, author TEXT NOT NULL, category TEXT NOT NULL, text TEXT NOT NULL, tokens INTEGER NOT NULL);"
    "CREATE VIRTUAL TABLE words USING fts5(heading, text, content='chunks', content_rowid='row', tokenize='porter unicode61 "
    "remove_diacritics 2');"
    "BEGIN;";

constexpr std::string_view search_sql =
    "SELECT c.id, bm25(words, 2.0, 1.0) AS score FROM words JOIN chunks c ON c.row = words.rowid "
    "WHERE words MATCH ?1 AND (?2 = '' OR c.author = ?2) AND (?3 = '' OR c.category = ?3) ORDER BY score, c.row LIMIT ?4";

constexpr std::string_view chunk_sql =
    "SELECT id, document_id, title, heading, url, author, category, text, tokens FROM chunks WHERE id = ?1";

std::string url_of(const FeatureDocument& document, const Chunk& chunk) {
  return chunk.anchor.empty() ? document.url : document.url + "#" + chunk.anchor;
}

core::Result<> sync_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return core::fail(core::system_error("open " + path, errno));
  const int failed = fsync(fd) != 0 ? errno : 0;
  ::close(fd);
  if (failed != 0) return core::fail(core::system_error("fsync " + path, failed));
  return {};
}

}  // namespace

struct TextStoreWriter::State {
  std::string path;
  SqliteFile file;
  Statement insert;
  std::int64_t next_row = 0;
};

TextStoreWriter::TextStoreWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
TextStoreWriter::~TextStoreWriter() = default;

core::Result<std::unique_ptr<TextStoreWriter>> TextStoreWriter::create(const std::string& path) {
  core::assert_may_block();
  VOLAN_TRY(SqliteFile file, SqliteFile::open(path, SqliteFile::Mode::create));
  VOLAN_TRY_VOID(file.execute(schema));
  VOLAN_TRY(Statement insert,
            file.prepare("INSERT INTO chunks (row, id, document_id, section, title, heading, leaf, url, author, category, text, tokens) "
                         "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"));
  auto state = std::make_unique<State>(State{path, std::move(file), std::move(insert), 0});
  return std::unique_ptr<TextStoreWriter>(new TextStoreWriter(std::move(state)));
}

core::Result<> TextStoreWriter::add(const FeatureDocument& document, const Chunk& chunk) {
  const std::string url = url_of(document, chunk);
  Statement& insert = state_->insert;
  insert.bind(1, state_->next_row++);
  insert.bind(2, chunk.id);
  insert.bind(3, document.document_id);
  insert.bind(4, chunk.section);
  insert.bind(5, document.title);
  insert.bind(6, chunk.heading);
  insert.bind(7, chunk.leaf);
  insert.bind(8, url);
  insert.bind(9, document.author);
  insert.bind(10, document.category);
  insert.bind(11, chunk.text);
  insert.bind(12, chunk.tokens);
  return insert.run();
}

core::Result<> TextStoreWriter::finish() {
  State& state = *state_;
  VOLAN_TRY_VOID(
      state.file.execute("CREATE UNIQUE INDEX chunks_by_id ON chunks (id); INSERT INTO words (words) VALUES ('rebuild'); INSERT INTO words "
                         "(words) VALUES ('optimize'); COMMIT; ANALYZE;"));
  state.insert = {};
  state.file = {};
  return sync_file(state.path);
}

struct TextStore::Connection {
  SqliteFile file;
  Statement search, chunk;
};

// Gives the connection back at the end of the scope.
class TextStore::Lease {
 public:
  Lease(const TextStore& owner, std::unique_ptr<Connection> connection) : owner_(&owner), connection_(std::move(connection)) {}
  Lease(Lease&&) noexcept = default;
  ~Lease() {
    if (!connection_) return;
    connection_->search.reset();
    connection_->chunk.reset();
    const std::lock_guard lock(owner_->mutex_);
    owner_->free_.push_back(std::move(connection_));
  }
  Connection* operator->() const { return connection_.get(); }

 private:
  const TextStore* owner_;
  std::unique_ptr<Connection> connection_;
};

TextStore::TextStore(std::string path) : path_(std::move(path)) {}
TextStore::~TextStore() = default;

core::Result<std::unique_ptr<TextStore>> TextStore::open(const std::string& path) {
  core::assert_may_block();
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return core::fail(core::ErrorCode::not_found, "no file " + path);
  std::unique_ptr<TextStore> file(new TextStore(path));
  VOLAN_TRY([[maybe_unused]] const Lease first, file->take());
  return file;
}

core::Result<TextStore::Lease> TextStore::take() const {
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      Lease lease(*this, std::move(free_.back()));
      free_.pop_back();
      return lease;
    }
  }
  VOLAN_TRY(SqliteFile file, SqliteFile::open(path_, SqliteFile::Mode::read_immutable));
  VOLAN_TRY(Statement search, file.prepare(search_sql));
  VOLAN_TRY(Statement chunk, file.prepare(chunk_sql));
  return Lease(*this, std::make_unique<Connection>(Connection{std::move(file), std::move(search), std::move(chunk)}));
}

core::Result<std::vector<Hit>> TextStore::search(std::string_view text, std::size_t limit, const Filter& filter, Headings headings) const {
  core::assert_may_block();
  std::vector<Hit> hits;
  std::string query = lexical_query(text);
  if (query.empty() || limit == 0) return hits;
  if (headings == Headings::ignored) query = "{text} : (" + query + ")";
  VOLAN_TRY(const Lease lease, take());
  Statement& search = lease->search;
  search.bind(1, query);
  search.bind(2, filter.author);
  search.bind(3, filter.category);
  search.bind(4, static_cast<std::int64_t>(limit));
  for (;;) {
    VOLAN_TRY(const bool has_row, search.step());
    if (!has_row) return hits;
    hits.push_back({search.text(0), -search.real(1)});  // FTS5 gives the better the smaller
  }
}

core::Result<std::vector<ChunkView>> TextStore::chunks(const std::vector<std::string>& ids) const {
  core::assert_may_block();
  VOLAN_TRY(const Lease lease, take());
  Statement& find = lease->chunk;
  std::vector<ChunkView> views;
  for (const std::string& id : ids) {
    find.reset();
    find.bind(1, id);
    VOLAN_TRY(const bool is_there, find.step());
    if (!is_there) continue;
    views.push_back({.id = find.text(0),
                     .document_id = find.text(1),
                     .title = find.text(2),
                     .heading = find.text(3),
                     .url = find.text(4),
                     .author = find.text(5),
                     .category = find.text(6),
                     .text = find.text(7),
                     .tokens = find.integer(8)});
  }
  return views;
}

core::Result<std::vector<TextStore::SectionChunks>> TextStore::sections() const {
  core::assert_may_block();
  VOLAN_TRY(const Lease lease, take());
  VOLAN_TRY(Statement all, lease->file.prepare("SELECT document_id, section, leaf, id FROM chunks ORDER BY row"));
  std::vector<SectionChunks> sections;
  std::string document;
  std::int64_t section = -1;
  for (;;) {
    VOLAN_TRY(const bool has_row, all.step());
    if (!has_row) return sections;
    if (sections.empty() || all.text(0) != document || all.integer(1) != section) {
      document = all.text(0);
      section = all.integer(1);
      sections.push_back({all.text(2), {}});
    }
    sections.back().chunk_ids.push_back(all.text(3));
  }
}

}  // namespace volan::feature
