#include "trace/list_query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "trace/rows.hpp"
#include "trace/text.hpp"

namespace volan::trace {
namespace {

/// Collects conditions and their values in the same order.
class Where {
 public:
  void add(std::string_view condition, std::initializer_list<storage::Value> values) {
    text_ += text_.empty() ? " WHERE " : " AND ";
    text_ += condition;
    params_.insert(params_.end(), values);
  }
  const std::string& text() const { return text_; }
  std::vector<storage::Value> take_params() { return std::move(params_); }

 private:
  std::string text_;
  std::vector<storage::Value> params_;
};

void add_status(Where& where, ViewStatus status, const std::string& project, core::Time process_start) {
  if (status != ViewStatus::running && status != ViewStatus::interrupted) {
    where.add("status = ?", {std::string(core::text_of(status))});
    return;
  }
  where.add(status == ViewStatus::running ? "start_ns >= ?" : "start_ns < ?", {process_start.ns});
  where.add("is_end = 0 AND trace_id NOT IN (SELECT e.trace_id FROM traces e WHERE e.project = ? AND e.is_end = 1)", {project});
}

void add_text(Where& where, const TraceFilter& filter, const std::string& project) {
  // Values are stored as JSON, so the words are looked for as JSON writes them.
  const std::string quoted = json_quoted(*filter.text_contains);
  const std::string needle = quoted.substr(1, quoted.size() - 2);
  const std::int64_t from_ns = filter.from ? filter.from->ns : 0;
  where.add(
      "trace_id IN (SELECT s.trace_id FROM spans s WHERE s.project = ? AND s.start_ns >= ? AND (contains(lower(s.input), lower(?)) OR "
      "contains(lower(s.output), lower(?))))",
      {project, from_ns, needle, needle});
}

Where where_of(const std::string& project, const TraceFilter& filter, const std::optional<ListPosition>& after, core::Time process_start) {
  Where where;
  where.add("project = ?", {project});
  // The plain comparison of start_ns lets the engine skip row groups; the second one is exact among equal times.
  if (after) where.add("start_ns <= ? AND (start_ns < ? OR trace_id < ?)", {after->start_ns, after->start_ns, after->trace_id});
  if (filter.from) where.add("start_ns >= ?", {filter.from->ns});
  if (filter.to) where.add("start_ns < ?", {filter.to->ns});
  if (filter.app) where.add("app = ?", {*filter.app});
  if (filter.model) where.add("model = ?", {*filter.model});
  if (filter.session_id) where.add("session_id = ?", {*filter.session_id});
  if (filter.user_id) where.add("user_id = ?", {*filter.user_id});
  if (filter.name_contains) where.add("contains(lower(name), lower(?))", {*filter.name_contains});
  if (filter.duration_ms_min) where.add("end_ns - start_ns >= ?", {*filter.duration_ms_min * 1e6});
  if (filter.status) add_status(where, *filter.status, project, process_start);
  if (filter.text_contains) add_text(where, filter, project);
  return where;
}

}  // namespace

std::string cursor_text(const ListPosition& position) { return fmt::format("{}_{}", position.start_ns, position.trace_id); }

core::Result<ListPosition> cursor_of(std::string_view text) {
  ListPosition position;
  const std::size_t split = text.find('_');
  const char* end = text.data() + (split == std::string_view::npos ? 0 : split);
  const auto parsed = std::from_chars(text.data(), end, position.start_ns);
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  const std::string_view id = split == std::string_view::npos ? std::string_view() : text.substr(split + 1);
  if (parsed.ec != std::errc() || parsed.ptr != end || id.size() != 32 || !std::ranges::all_of(id, is_hex))
    return core::fail(core::ErrorCode::invalid_argument, "this is not the end of a page", "after",
                      "pass `next` of the page before unchanged");
  position.trace_id = id;
  return position;
}

bool may_differ_at_end(const TraceFilter& filter) {
  return filter.app || filter.model || filter.session_id || filter.user_id || filter.name_contains;
}

BoundSql list_horizon_sql(const std::string& project, const TraceFilter& filter, const std::optional<ListPosition>& after,
                          std::int64_t rows_max, core::Time process_start) {
  Where where = where_of(project, filter, after, process_start);
  BoundSql query;
  query.sql =
      fmt::format("SELECT min(start_ns) FROM (SELECT start_ns FROM traces{} ORDER BY start_ns DESC LIMIT {})", where.text(), rows_max);
  query.params = where.take_params();
  return query;
}

BoundSql list_sql(const std::string& project, const TraceFilter& filter, const std::optional<ListPosition>& after, std::int64_t rows_max,
                  core::Time process_start) {
  Where where = where_of(project, filter, after, process_start);
  BoundSql query;
  query.sql = fmt::format("SELECT {} FROM traces{} ORDER BY start_ns DESC, trace_id DESC, is_end DESC, journal_position DESC LIMIT {}",
                          summary_columns(), where.text(), rows_max);
  query.params = where.take_params();
  return query;
}

BoundSql ended_among(const std::string& project, const std::vector<ListPosition>& started) {
  BoundSql query;
  query.sql = "SELECT trace_id FROM traces WHERE project = ? AND is_end = 1 AND start_ns >= ? AND start_ns <= ? AND trace_id IN (";
  const auto [oldest, newest] = std::ranges::minmax_element(started, {}, &ListPosition::start_ns);
  query.params = {project, oldest->start_ns, newest->start_ns};
  for (std::size_t i = 0; i < started.size(); ++i) {
    query.sql += i == 0 ? "?" : ", ?";
    query.params.emplace_back(started[i].trace_id);
  }
  query.sql += ")";
  return query;
}

}  // namespace volan::trace
