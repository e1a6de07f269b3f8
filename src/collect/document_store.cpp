#include "collect/document_store.hpp"

#include <span>

#include "core/json.hpp"
#include "storage/database.hpp"

namespace volan::collect {

std::span<const core::EmbeddedFile> migrations();

namespace {

using storage::Row;
using storage::Value;

struct Body {
  std::vector<Section> sections;
};
constexpr auto describe(const Body*) { return core::object("DocumentBody", core::field("sections", &Body::sections)); }

constexpr std::string_view head_columns =
    "document_id, source, locator, author, category, title, url, language, state, error, first_seen_ns, last_seen_ns, changed_ns";

DocumentHead to_head(const Row& row) {
  return {.id = row.text(0),
          .source = row.text(1),
          .locator = row.text(2),
          .author = row.text(3),
          .category = row.text(4),
          .title = row.text(5),
          .url = row.text(6),
          .language = row.text(7),
          .state = row.text(8),
          .error = row.text(9),
          .first_seen = {row.integer(10)},
          .last_seen = {row.integer(11)},
          .changed = {row.integer(12)}};
}

std::vector<DocumentHead> to_heads(const std::vector<Row>& rows) {
  std::vector<DocumentHead> heads;
  for (const Row& row : rows) heads.push_back(to_head(row));
  return heads;
}

std::string select(std::string_view columns, std::string_view rest) {
  std::string sql = "SELECT ";
  sql.append(columns).append(" FROM collect_documents ").append(rest);
  return sql;
}

core::Error no_document(std::string_view id) {
  return {core::ErrorCode::not_found, "no document with id " + std::string(id), {}, "GET /api/v1/documents lists them"};
}

}  // namespace

core::Result<DocumentStore> DocumentStore::open(storage::Database& database) {
  VOLAN_TRY_VOID(database.migrate("collect", migrations()));
  return DocumentStore(database);
}

core::Result<std::map<std::string, LedgerEntry>> DocumentStore::ledger(std::string_view project, std::string_view source) {
  std::vector<Value> params{std::string(project), std::string(source)};
  VOLAN_TRY(const auto rows, database_->query(select("locator, state, content_hash, document_id", "WHERE project = :p1 AND source = :p2"),
                                              std::move(params)));
  std::map<std::string, LedgerEntry> entries;
  for (const Row& row : rows)
    entries[row.text(0)] = {core::enum_of<DocumentState>(row.text(1)).value_or(DocumentState::failed), row.text(2), row.text(3)};
  return entries;
}

core::Result<> DocumentStore::apply(std::string_view project_view, std::string_view source_view, const Changes& changes, core::Time now) {
  const std::string project(project_view), source(source_view);
  return database_->transaction([&](storage::Transaction& transaction) -> core::Result<> {
    for (const Document& document : changes.read) {
      std::vector<Value> params{project,        source,       document.locator,  document.content_hash,
                                now.ns,         document.id,  document.author,   std::string(core::text_of(document.category)),
                                document.title, document.url, document.language, core::encode_json(Body{document.sections})};
      VOLAN_TRY_VOID(transaction.execute(
          "INSERT INTO collect_documents (project, source, locator, state, content_hash, error, first_seen_ns, last_seen_ns, changed_ns, "
          "document_id, "
          "document_hash, author, category, title, url, language, body) "
          "VALUES (:p1, :p2, :p3, 'present', :p4, '', :p5, :p5, :p5, :p6, :p4, :p7, :p8, :p9, :p10, :p11, :p12) "
          "ON CONFLICT (project, source, locator) DO UPDATE SET state = 'present', content_hash = excluded.content_hash, error = '', "
          "last_seen_ns = excluded.last_seen_ns, changed_ns = excluded.changed_ns, document_id = excluded.document_id, "
          "document_hash = excluded.document_hash, author = excluded.author, category = excluded.category, title = excluded.title, "
          "url = excluded.url, language = excluded.language, body = excluded.body",
          std::move(params)));
    }
    for (const std::string& locator : changes.unchanged) {
      std::vector<Value> params{project, source, locator, now.ns};
      VOLAN_TRY_VOID(transaction.execute(
          "UPDATE collect_documents SET last_seen_ns = :p4 WHERE project = :p1 AND source = :p2 AND locator = :p3", std::move(params)));
    }
    for (const std::string& locator : changes.gone) {
      std::vector<Value> params{project, source, locator, now.ns};
      VOLAN_TRY_VOID(
          transaction.execute("UPDATE collect_documents SET state = 'gone', error = '', document_id = '', document_hash = '', body = '', "
                              "content_hash = '', changed_ns = :p4 "
                              "WHERE project = :p1 AND source = :p2 AND locator = :p3",
                              std::move(params)));
    }
    for (const Changes::Failure& failure : changes.failed) {
      std::vector<Value> params{project, source, failure.locator, failure.content_hash, failure.error, now.ns};
      VOLAN_TRY_VOID(transaction.execute(
          "INSERT INTO collect_documents (project, source, locator, state, content_hash, error, first_seen_ns, last_seen_ns, changed_ns) "
          "VALUES (:p1, :p2, :p3, 'failed', :p4, :p5, :p6, :p6, :p6) "
          "ON CONFLICT (project, source, locator) DO UPDATE SET state = 'failed', content_hash = excluded.content_hash, error = "
          "excluded.error, "
          "last_seen_ns = excluded.last_seen_ns",
          std::move(params)));
    }
    return {};
  });
}

core::Result<std::vector<DocumentHead>> DocumentStore::in_use(std::string_view project) {
  std::vector<Value> params{std::string(project)};
  VOLAN_TRY(const auto rows, database_->query(select(head_columns, "WHERE project = :p1 AND document_id <> '' ORDER BY source, locator"),
                                              std::move(params)));
  return to_heads(rows);
}

core::Result<Document> DocumentStore::load(std::string_view project, std::string_view id) {
  std::vector<Value> params{std::string(project), std::string(id)};
  VOLAN_TRY(const auto rows,
            database_->query(select("document_id, source, locator, document_hash, author, category, title, url, language, body",
                                    "WHERE project = :p1 AND document_id = :p2 AND document_id <> ''"),
                             std::move(params)));
  if (rows.empty()) return core::fail(no_document(id));
  const Row& row = rows.front();
  auto body = core::decode_json<Body>(row.text(9));
  if (!body)
    return core::fail(core::ErrorCode::data_loss,
                      "the stored text of document " + std::string(id) + " does not decode: " + body.error().message);
  return Document{.id = row.text(0),
                  .source = row.text(1),
                  .locator = row.text(2),
                  .content_hash = row.text(3),
                  .author = row.text(4),
                  .category = core::enum_of<Category>(row.text(5)).value_or(Category::article),
                  .title = row.text(6),
                  .url = row.text(7),
                  .language = row.text(8),
                  .sections = std::move(body->sections)};
}

core::Result<DocumentHead> DocumentStore::head(std::string_view project, std::string_view id) {
  std::vector<Value> params{std::string(project), std::string(id)};
  VOLAN_TRY(const auto rows,
            database_->query(select(head_columns, "WHERE project = :p1 AND document_id = :p2 AND document_id <> ''"), std::move(params)));
  if (rows.empty()) return core::fail(no_document(id));
  return to_head(rows.front());
}

core::Result<std::vector<DocumentHead>> DocumentStore::list(std::string_view project, const DocumentQuery& query) {
  std::string where = "WHERE project = :p1";
  std::vector<Value> params{std::string(project)};
  const auto restrict = [&](std::string_view column, const std::string& value) {
    if (value.empty()) return;
    params.emplace_back(value);
    where.append(" AND ").append(column).append(" = :p").append(std::to_string(params.size()));
  };
  restrict("source", query.source);
  restrict("author", query.author);
  restrict("category", query.category);
  restrict("state", query.state);
  if (!query.after_source.empty() || !query.after_locator.empty()) {
    params.emplace_back(query.after_source);
    params.emplace_back(query.after_locator);
    const std::string source = ":p" + std::to_string(params.size() - 1), locator = ":p" + std::to_string(params.size());
    where.append(" AND (source > ")
        .append(source)
        .append(" OR (source = ")
        .append(source)
        .append(" AND locator > ")
        .append(locator)
        .append("))");
  }
  params.emplace_back(query.limit);
  where.append(" ORDER BY source, locator LIMIT :p").append(std::to_string(params.size()));
  VOLAN_TRY(const auto rows, database_->query(select(head_columns, where), std::move(params)));
  return to_heads(rows);
}

}  // namespace volan::collect
