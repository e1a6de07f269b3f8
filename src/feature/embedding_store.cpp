#include "feature/embedding_store.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "core/pools.hpp"
#include "feature/sqlite.hpp"

namespace volan::feature {
namespace {

constexpr const char* schema =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
    "CREATE TABLE IF NOT EXISTS embeddings (embedder TEXT NOT NULL, text_hash TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (embedder, "
    "text_hash)) WITHOUT ROWID;";

core::Result<std::unique_ptr<SqliteFile>> open_file(const std::string& path) {
  VOLAN_TRY(SqliteFile file, SqliteFile::open(path, SqliteFile::Mode::create));
  VOLAN_TRY_VOID(file.execute(schema));
  return std::make_unique<SqliteFile>(std::move(file));
}

// Rolls back unless committed.
class Scope {
 public:
  explicit Scope(SqliteFile& file) : file_(file) {}
  ~Scope() {
    if (is_open_) (void)file_.execute("ROLLBACK");
  }
  core::Result<> begin() {
    VOLAN_TRY_VOID(file_.execute("BEGIN IMMEDIATE"));
    is_open_ = true;
    return {};
  }
  core::Result<> commit() {
    VOLAN_TRY_VOID(file_.execute("COMMIT"));
    is_open_ = false;
    return {};
  }

 private:
  SqliteFile& file_;
  bool is_open_ = false;
};

core::Result<std::vector<float>> normalised(std::span<const float> vector, std::size_t row) {
  double square = 0;
  for (const float value : vector) square += static_cast<double>(value) * value;
  if (!std::isfinite(square) || square <= 0)
    return core::fail(core::ErrorCode::upstream, "the embedding model answered with a vector that is zero or not finite",
                      fmt::format("texts[{}]", row));
  std::vector<float> out(vector.size());
  const double length = std::sqrt(square);
  for (std::size_t i = 0; i < vector.size(); ++i) out[i] = static_cast<float>(vector[i] / length);
  return out;
}

std::string_view bytes_of(const std::vector<float>& vector) {
  return {reinterpret_cast<const char*>(vector.data()), vector.size() * sizeof(float)};
}

}  // namespace

EmbeddingStore::EmbeddingStore(std::unique_ptr<SqliteFile> file) : file_(std::move(file)) {}
EmbeddingStore::~EmbeddingStore() = default;

core::Result<std::unique_ptr<EmbeddingStore>> EmbeddingStore::open(const std::string& path) {
  core::assert_may_block();
  auto file = open_file(path);
  if (!file && file.error().code == core::ErrorCode::data_loss) {
    std::error_code error;
    std::filesystem::rename(path, path + ".damaged", error);
    for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(path + suffix, error);
    file = open_file(path);
  }
  if (!file) return core::fail(std::move(file).error());
  return std::unique_ptr<EmbeddingStore>(new EmbeddingStore(std::move(*file)));
}

core::Result<std::vector<std::string>> EmbeddingStore::missing(std::string_view embedder, const std::vector<std::string>& text_hashes) {
  core::assert_may_block();
  const std::lock_guard lock(mutex_);
  VOLAN_TRY(Statement find, file_->prepare("SELECT 1 FROM embeddings WHERE embedder = ?1 AND text_hash = ?2"));
  std::vector<std::string> found_missing;
  std::set<std::string_view> seen;
  for (const std::string& hash : text_hashes) {
    if (!seen.insert(hash).second) continue;
    find.bind(1, embedder);
    find.bind(2, hash);
    VOLAN_TRY(const bool is_there, find.step());
    find.reset();
    if (!is_there) found_missing.push_back(hash);
  }
  return found_missing;
}

core::Result<> EmbeddingStore::put(std::string_view embedder, const std::vector<std::string>& text_hashes, std::size_t dimension,
                                   std::span<const float> values) {
  core::assert_may_block();
  if (dimension == 0 || values.size() != text_hashes.size() * dimension)
    return core::fail(core::ErrorCode::upstream, fmt::format("the embedding model answered {} values for {} texts of {}", values.size(),
                                                             text_hashes.size(), dimension));
  const std::lock_guard lock(mutex_);
  Scope scope(*file_);
  VOLAN_TRY_VOID(scope.begin());
  VOLAN_TRY(Statement insert, file_->prepare("INSERT OR REPLACE INTO embeddings (embedder, text_hash, vector) VALUES (?1, ?2, ?3)"));
  for (std::size_t row = 0; row < text_hashes.size(); ++row) {
    VOLAN_TRY(const std::vector<float> vector, normalised(values.subspan(row * dimension, dimension), row));
    insert.bind(1, embedder);
    insert.bind(2, text_hashes[row]);
    insert.bind_blob(3, bytes_of(vector));
    VOLAN_TRY_VOID(insert.run());
  }
  return scope.commit();
}

core::Result<std::vector<float>> EmbeddingStore::load(std::string_view embedder, const std::vector<std::string>& text_hashes,
                                                      std::size_t dimension) {
  core::assert_may_block();
  const std::lock_guard lock(mutex_);
  VOLAN_TRY(Statement find, file_->prepare("SELECT vector FROM embeddings WHERE embedder = ?1 AND text_hash = ?2"));
  std::vector<float> rows(text_hashes.size() * dimension);
  for (std::size_t row = 0; row < text_hashes.size(); ++row) {
    find.bind(1, embedder);
    find.bind(2, text_hashes[row]);
    VOLAN_TRY(const bool is_there, find.step());
    const std::string_view bytes = is_there ? find.blob(0) : std::string_view{};
    if (bytes.size() != dimension * sizeof(float))
      return core::fail(core::ErrorCode::not_found, "the vector of text " + text_hashes[row] + " is missing", {},
                        "build the features again");
    std::memcpy(rows.data() + row * dimension, bytes.data(), bytes.size());
    find.reset();
  }
  return rows;
}

core::Result<std::size_t> EmbeddingStore::dimension(std::string_view embedder) {
  core::assert_may_block();
  const std::lock_guard lock(mutex_);
  VOLAN_TRY(Statement find, file_->prepare("SELECT length(vector) FROM embeddings WHERE embedder = ?1 LIMIT 1"));
  find.bind(1, embedder);
  VOLAN_TRY(const bool is_there, find.step());
  return is_there ? static_cast<std::size_t>(find.integer(0)) / sizeof(float) : 0;
}

core::Result<std::int64_t> EmbeddingStore::keep_only(const std::set<std::string>& text_hashes) {
  core::assert_may_block();
  const std::lock_guard lock(mutex_);
  std::vector<std::string> dropped;
  {
    VOLAN_TRY(Statement all, file_->prepare("SELECT DISTINCT text_hash FROM embeddings"));
    for (;;) {
      VOLAN_TRY(const bool has_row, all.step());
      if (!has_row) break;
      if (std::string hash = all.text(0); !text_hashes.contains(hash)) dropped.push_back(std::move(hash));
    }
  }
  if (dropped.empty()) return 0;
  Scope scope(*file_);
  VOLAN_TRY_VOID(scope.begin());
  VOLAN_TRY(Statement remove, file_->prepare("DELETE FROM embeddings WHERE text_hash = ?1"));
  for (const std::string& hash : dropped) {
    remove.bind(1, hash);
    VOLAN_TRY_VOID(remove.run());
  }
  VOLAN_TRY_VOID(scope.commit());
  return static_cast<std::int64_t>(dropped.size());
}

}  // namespace volan::feature
