#include "feature/store.hpp"

#include <span>

#include "core/json.hpp"
#include "storage/database.hpp"

namespace volan::feature {

std::span<const core::EmbeddedFile> migrations();

namespace {

using storage::Row;
using storage::Transaction;
using storage::Value;

using Params = std::vector<Value>;

struct CleanedBody {
  std::vector<collect::Section> sections;
};
constexpr auto describe(const CleanedBody*) { return core::object("CleanedBody", core::field("sections", &CleanedBody::sections)); }

std::string text(std::string_view view) { return std::string(view); }

constexpr std::string_view document_columns =
    "document_id, source, locator, author, category, title, url, language, sections, characters_in, characters_out, chunks";

FeatureDocument to_document(const Row& row) {
  return {.document_id = row.text(0),
          .source = row.text(1),
          .locator = row.text(2),
          .author = row.text(3),
          .category = row.text(4),
          .title = row.text(5),
          .url = row.text(6),
          .language = row.text(7),
          .sections = row.integer(8),
          .characters_in = row.integer(9),
          .characters_out = row.integer(10),
          .chunks = row.integer(11)};
}

Chunk to_chunk(const Row& row) {
  return {.id = row.text(0),
          .document_id = row.text(1),
          .position = row.integer(2),
          .section = row.integer(3),
          .heading = row.text(4),
          .leaf = row.text(5),
          .anchor = row.text(6),
          .text = row.text(7),
          .text_hash = row.text(8),
          .characters = row.integer(9),
          .tokens = row.integer(10)};
}

constexpr std::string_view snapshot_columns =
    "s.snapshot_id, s.settings_hash, s.embedder, s.dimension, s.documents, s.chunks, s.tokens, s.created_ns, s.used_ns";

SnapshotInfo to_snapshot(const Row& row, std::size_t at = 0) {
  return {.id = row.text(at),
          .settings_hash = row.text(at + 1),
          .embedder = row.text(at + 2),
          .dimension = row.integer(at + 3),
          .documents = row.integer(at + 4),
          .chunks = row.integer(at + 5),
          .tokens = row.integer(at + 6),
          .created = {row.integer(at + 7)},
          .used = {row.integer(at + 8)}};
}

BuildInfo to_build(const Row& row) {
  BuildInfo info{.id = row.text(0),
                 .state = row.text(1),
                 .started = {row.integer(2)},
                 .ended = {},
                 .progress = {},
                 .report = {},
                 .error = row.text(5)};
  if (row.integer(3) != 0) info.ended = core::Time{row.integer(3)};
  if (info.state == "done")
    if (auto report = core::decode_json<BuildReport>(row.text(4), {.unknown = core::UnknownFields::ignore}))
      info.report = std::move(*report);
  return info;
}

core::Result<> insert_chunk(Transaction& transaction, const std::string& project, const std::string& settings, const Chunk& chunk) {
  Params params{project,    chunk.id,     settings,   chunk.document_id, chunk.position,   chunk.section, chunk.heading,
                chunk.leaf, chunk.anchor, chunk.text, chunk.text_hash,   chunk.characters, chunk.tokens};
  VOLAN_TRY_VOID(transaction.execute(
      "INSERT INTO feature_chunks (project, chunk_id, settings_hash, document_id, position, section, heading, leaf, anchor, text, "
      "text_hash, characters, tokens) "
      "VALUES (:p1, :p2, :p3, :p4, :p5, :p6, :p7, :p8, :p9, :p10, :p11, :p12, :p13) ON CONFLICT (project, chunk_id) DO NOTHING",
      std::move(params)));
  return {};
}

}  // namespace

core::Result<Store> Store::open(storage::Database& database) {
  VOLAN_TRY_VOID(database.migrate("feature", migrations()));
  return Store(database);
}

core::Result<std::set<std::string>> Store::known_documents(std::string_view project, std::string_view settings_hash) {
  Params params{text(project), text(settings_hash)};
  VOLAN_TRY(const auto rows,
            database_->query("SELECT document_id FROM feature_documents WHERE project = :p1 AND settings_hash = :p2", std::move(params)));
  std::set<std::string> ids;
  for (const Row& row : rows) ids.insert(row.text(0));
  return ids;
}

core::Result<> Store::put_document(std::string_view project_view, std::string_view settings_view, const FeatureDocument& document,
                                   const std::vector<collect::Section>& sections, const std::vector<Chunk>& chunks) {
  const std::string project(project_view), settings(settings_view);
  return database_->transaction([&](Transaction& transaction) -> core::Result<> {
    Params params{project,
                  document.document_id,
                  settings,
                  document.source,
                  document.locator,
                  document.author,
                  document.category,
                  document.title,
                  document.url,
                  document.language,
                  document.sections,
                  document.characters_in,
                  document.characters_out,
                  document.chunks,
                  core::encode_json(CleanedBody{sections})};
    VOLAN_TRY_VOID(
        transaction.execute("INSERT INTO feature_documents (project, document_id, settings_hash, source, locator, author, category, title, "
                            "url, language, sections, "
                            "characters_in, characters_out, chunks, body) "
                            "VALUES (:p1, :p2, :p3, :p4, :p5, :p6, :p7, :p8, :p9, :p10, :p11, :p12, :p13, :p14, :p15) "
                            "ON CONFLICT (project, document_id, settings_hash) DO NOTHING",
                            std::move(params)));
    for (const Chunk& chunk : chunks) VOLAN_TRY_VOID(insert_chunk(transaction, project, settings, chunk));
    return {};
  });
}

core::Result<std::vector<FeatureDocument>> Store::documents(std::string_view project, std::string_view settings_hash,
                                                            const std::vector<std::string>& ids) {
  std::string sql = "SELECT ";
  sql.append(document_columns).append(" FROM feature_documents WHERE project = :p1 AND settings_hash = :p2");
  Params params{text(project), text(settings_hash)};
  VOLAN_TRY(const auto rows, database_->query(sql, std::move(params)));
  std::map<std::string, FeatureDocument> found;
  for (const Row& row : rows) found[row.text(0)] = to_document(row);
  std::vector<FeatureDocument> documents;
  for (const std::string& id : ids) {
    const auto each = found.find(id);
    if (each == found.end()) return core::fail(core::ErrorCode::not_found, "document " + id + " is not cleaned under these settings");
    documents.push_back(each->second);
  }
  return documents;
}

core::Result<std::vector<Chunk>> Store::chunks_of(std::string_view project, std::string_view settings_hash, std::string_view document_id) {
  Params params{text(project), text(document_id), text(settings_hash)};
  VOLAN_TRY(
      const auto rows,
      database_->query(
          "SELECT chunk_id, document_id, position, section, heading, leaf, anchor, text, text_hash, characters, tokens FROM feature_chunks "
          "WHERE project = :p1 AND document_id = :p2 AND settings_hash = :p3 ORDER BY position",
          std::move(params)));
  std::vector<Chunk> chunks;
  for (const Row& row : rows) chunks.push_back(to_chunk(row));
  return chunks;
}

core::Result<> Store::publish(std::string_view project_view, const SnapshotInfo& info, const std::vector<std::string>& documents) {
  const std::string project(project_view);
  return database_->transaction([&](Transaction& transaction) -> core::Result<> {
    Params snapshot{project,        info.id,     info.settings_hash, info.embedder, info.dimension,
                    info.documents, info.chunks, info.tokens,        info.used.ns};
    VOLAN_TRY_VOID(
        transaction.execute("INSERT INTO feature_snapshots (project, snapshot_id, settings_hash, embedder, dimension, documents, chunks, "
                            "tokens, created_ns, used_ns) "
                            "VALUES (:p1, :p2, :p3, :p4, :p5, :p6, :p7, :p8, :p9, :p9) ON CONFLICT (project, snapshot_id) DO UPDATE SET "
                            "used_ns = excluded.used_ns",
                            std::move(snapshot)));
    for (std::size_t i = 0; i < documents.size(); ++i) {
      Params member{project, info.id, documents[i], static_cast<std::int64_t>(i)};
      VOLAN_TRY_VOID(transaction.execute(
          "INSERT INTO feature_snapshot_documents (project, snapshot_id, document_id, ordinal) VALUES (:p1, :p2, :p3, :p4) "
          "ON CONFLICT (project, snapshot_id, document_id) DO NOTHING",
          std::move(member)));
    }
    Params current{project, info.id};
    VOLAN_TRY_VOID(
        transaction.execute("INSERT INTO feature_current (project, snapshot_id) VALUES (:p1, :p2) ON CONFLICT (project) DO UPDATE SET "
                            "snapshot_id = excluded.snapshot_id",
                            std::move(current)));
    return {};
  });
}

core::Result<std::vector<SnapshotInfo>> Store::snapshots(std::string_view project) {
  std::string sql = "SELECT ";
  sql.append(snapshot_columns)
      .append(
          ", CASE WHEN c.snapshot_id IS NULL THEN 0 ELSE 1 END FROM feature_snapshots s LEFT JOIN feature_current c "
          "ON c.project = s.project AND c.snapshot_id = s.snapshot_id WHERE s.project = :p1 ORDER BY s.used_ns DESC, s.snapshot_id");
  Params params{text(project)};
  VOLAN_TRY(const auto rows, database_->query(sql, std::move(params)));
  std::vector<SnapshotInfo> infos;
  for (const Row& row : rows) {
    infos.push_back(to_snapshot(row));
    infos.back().is_current = row.integer(9) != 0;
  }
  return infos;
}

core::Result<std::vector<std::string>> Store::snapshot_documents(std::string_view project, std::string_view snapshot_id) {
  Params params{text(project), text(snapshot_id)};
  VOLAN_TRY(
      const auto rows,
      database_->query("SELECT document_id FROM feature_snapshot_documents WHERE project = :p1 AND snapshot_id = :p2 ORDER BY ordinal",
                       std::move(params)));
  std::vector<std::string> ids;
  for (const Row& row : rows) ids.push_back(row.text(0));
  return ids;
}

core::Result<std::vector<std::pair<std::string, SnapshotInfo>>> Store::all_current() {
  std::string sql = "SELECT c.project, ";
  sql.append(snapshot_columns)
      .append(
          " FROM feature_current c JOIN feature_snapshots s ON s.project = c.project AND s.snapshot_id = c.snapshot_id ORDER BY c.project");
  VOLAN_TRY(const auto rows, database_->query(sql));
  std::vector<std::pair<std::string, SnapshotInfo>> all;
  for (const Row& row : rows) {
    all.emplace_back(row.text(0), to_snapshot(row, 1));
    all.back().second.is_current = true;
  }
  return all;
}

core::Result<> Store::remove_old(std::string_view project_view, std::int64_t kept) {
  const std::string project(project_view);
  VOLAN_TRY(const auto all, snapshots(project));
  std::vector<std::string> old;
  std::int64_t others = 0;
  for (const SnapshotInfo& info : all)
    if (!info.is_current && ++others >= kept) old.push_back(info.id);
  return database_->transaction([&](Transaction& transaction) -> core::Result<> {
    for (const std::string& id : old) {
      Params member{project, id}, snapshot{project, id};
      VOLAN_TRY_VOID(
          transaction.execute("DELETE FROM feature_snapshot_documents WHERE project = :p1 AND snapshot_id = :p2", std::move(member)));
      VOLAN_TRY_VOID(transaction.execute("DELETE FROM feature_snapshots WHERE project = :p1 AND snapshot_id = :p2", std::move(snapshot)));
    }
    for (const char* table : {"feature_chunks", "feature_documents"}) {
      Params params{project};
      VOLAN_TRY_VOID(transaction.execute(std::string("DELETE FROM ") + table +
                                             " WHERE project = :p1 AND NOT EXISTS (SELECT 1 FROM feature_snapshot_documents m "
                                             "JOIN feature_snapshots s ON s.project = m.project AND s.snapshot_id = m.snapshot_id "
                                             "WHERE m.project = " +
                                             table + ".project AND m.document_id = " + table +
                                             ".document_id "
                                             "AND s.settings_hash = " +
                                             table + ".settings_hash)",
                                         std::move(params)));
    }
    return {};
  });
}

core::Result<std::set<std::string>> Store::text_hashes(std::string_view project) {
  Params params{text(project)};
  VOLAN_TRY(const auto rows, database_->query("SELECT DISTINCT text_hash FROM feature_chunks WHERE project = :p1", std::move(params)));
  std::set<std::string> hashes;
  for (const Row& row : rows) hashes.insert(row.text(0));
  return hashes;
}

core::Result<> Store::begin_build(std::string_view project, std::string_view id, core::Time now) {
  return database_->transaction([&](Transaction& transaction) -> core::Result<> {
    Params params{text(project), text(id), now.ns};
    VOLAN_TRY_VOID(
        transaction.execute("INSERT INTO feature_builds (project, build_id, state, started_ns, ended_ns, report, error) VALUES (:p1, :p2, "
                            "'running', :p3, 0, '', '')",
                            std::move(params)));
    return {};
  });
}

core::Result<> Store::end_build(std::string_view project, std::string_view id, std::string_view state, const BuildReport& report,
                                std::string_view error, core::Time now) {
  return database_->transaction([&](Transaction& transaction) -> core::Result<> {
    Params params{text(project), text(id), text(state), now.ns, core::encode_json(report), text(error)};
    VOLAN_TRY_VOID(transaction.execute(
        "UPDATE feature_builds SET state = :p3, ended_ns = :p4, report = :p5, error = :p6 WHERE project = :p1 AND build_id = :p2",
        std::move(params)));
    return {};
  });
}

core::Result<std::vector<BuildInfo>> Store::builds(std::string_view project, std::int64_t limit) {
  Params params{text(project), limit};
  VOLAN_TRY(const auto rows,
            database_->query("SELECT build_id, state, started_ns, ended_ns, report, error FROM feature_builds WHERE project = :p1 "
                             "ORDER BY started_ns DESC, build_id DESC LIMIT :p2",
                             std::move(params)));
  std::vector<BuildInfo> infos;
  for (const Row& row : rows) infos.push_back(to_build(row));
  return infos;
}

core::Result<BuildInfo> Store::build(std::string_view project, std::string_view id) {
  Params params{text(project), text(id)};
  VOLAN_TRY(const auto rows,
            database_->query(
                "SELECT build_id, state, started_ns, ended_ns, report, error FROM feature_builds WHERE project = :p1 AND build_id = :p2",
                std::move(params)));
  if (rows.empty()) return core::fail(core::ErrorCode::not_found, "no build with id " + text(id));
  return to_build(rows.front());
}

core::Result<> Store::fail_interrupted_builds(core::Time now) {
  return database_->transaction([&](Transaction& transaction) -> core::Result<> {
    Params params{now.ns};
    VOLAN_TRY_VOID(
        transaction.execute("UPDATE feature_builds SET state = 'failed', ended_ns = :p1, error = 'the server stopped while it ran; start "
                            "it again' WHERE state = 'running'",
                            std::move(params)));
    return {};
  });
}

}  // namespace volan::feature
