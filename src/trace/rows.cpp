#include "trace/rows.hpp"

#include <fmt/format.h>

#include "core/json_text.hpp"  // tidy: attributes are stored as JSON
#include "trace/text.hpp"

namespace volan::trace {
namespace {

using storage::ColumnType;
using storage::Row;
using storage::Value;

constexpr double ns_per_ms = 1e6;

/// The columns that both tables have, in stored order.
#define VOLAN_TRACE_SHARED_COLUMNS                                                                                            \
  "trace_id, span_id, name, kind, status, start_ns, end_ns, first_token_ns, app, model, session_id, user_id, prompt_tokens, " \
  "completion_tokens, error"

std::vector<storage::Column> shared_columns() {
  return {{"project", ColumnType::text},
          {"trace_id", ColumnType::text},
          {"span_id", ColumnType::text},
          {"name", ColumnType::text},
          {"kind", ColumnType::text},
          {"status", ColumnType::text},
          {"start_ns", ColumnType::integer},
          {"end_ns", ColumnType::integer},
          {"first_token_ns", ColumnType::integer},
          {"app", ColumnType::text},
          {"model", ColumnType::text},
          {"session_id", ColumnType::text},
          {"user_id", ColumnType::text},
          {"prompt_tokens", ColumnType::integer},
          {"completion_tokens", ColumnType::integer},
          {"error", ColumnType::text}};
}

Value ns_or_null(const std::optional<core::Time>& time) { return time ? Value(time->ns) : Value(); }

/// Takes the texts out of the span.
storage::ColumnRow shared_row(Span& span) {
  storage::ColumnRow row;
  row.reserve(21);  // project and shared columns, four texts, is_end
  row.emplace_back(std::move(span.project));
  row.emplace_back(std::move(span.trace_id));
  row.emplace_back(std::move(span.span_id));
  row.emplace_back(std::move(span.name));
  row.emplace_back(std::string(core::text_of(span.kind)));
  row.emplace_back(std::string(core::text_of(span.status)));
  row.emplace_back(span.start.ns);
  row.push_back(ns_or_null(span.end));
  row.push_back(ns_or_null(span.first_token));
  row.emplace_back(std::move(span.app));
  row.emplace_back(std::move(span.model));
  row.emplace_back(std::move(span.session_id));
  row.emplace_back(std::move(span.user_id));
  row.emplace_back(span.prompt_tokens);
  row.emplace_back(span.completion_tokens);
  row.emplace_back(std::move(span.error));
  return row;
}

std::string attributes_json(const Span& span) {
  if (span.attributes.empty()) return {};
  std::string out = "{";
  for (const auto& [name, value] : span.attributes) {
    if (out.size() > 1) out.push_back(',');
    core::append_json_string(out, name);
    out.push_back(':');
    out += value.text;
  }
  out.push_back('}');
  return out;
}

std::optional<std::string> text_or_absent(const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); }
std::optional<core::RawJson> json_or_absent(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(core::RawJson{text});
}

/// Fills what TraceSummary and SpanView share from the columns of VOLAN_TRACE_SHARED_COLUMNS. The enumerators were written by shared_row().
template <class View>
void fill(View& view, const Row& row, core::Time process_start) {
  view.span_id = row.text(1);
  view.name = row.text(2);
  view.kind = core::enum_of<SpanKind>(row.text(3)).value_or(SpanKind::chain);
  view.status = core::enum_of<ViewStatus>(row.text(4)).value_or(ViewStatus::error);
  view.start = {row.integer(5)};
  if (!row.is_null(6)) {
    view.end = core::Time{row.integer(6)};
    view.duration_ms = static_cast<double>(view.end->ns - view.start.ns) / ns_per_ms;
  } else if (view.status == ViewStatus::running && view.start < process_start) {
    view.status = ViewStatus::interrupted;
  }
  if (!row.is_null(7)) view.first_token_ms = static_cast<double>(row.integer(7) - view.start.ns) / ns_per_ms;
  view.app = text_or_absent(row.text(8));
  view.model = text_or_absent(row.text(9));
  view.session_id = text_or_absent(row.text(10));
  view.user_id = text_or_absent(row.text(11));
  view.prompt_tokens = row.integer(12);
  view.completion_tokens = row.integer(13);
  view.error = text_or_absent(row.text(14));
}

}  // namespace

std::vector<storage::TableSpec> tables() {
  std::vector<storage::Column> spans = shared_columns();
  for (const char* name : {"parent_id", "input", "output", "attributes"}) spans.push_back({name, ColumnType::text});
  spans.push_back({"is_end", ColumnType::integer});
  std::vector<storage::Column> traces = shared_columns();
  for (const char* name : {"input_preview", "output_preview"}) traces.push_back({name, ColumnType::text});
  traces.push_back({"is_end", ColumnType::integer});
  std::vector<storage::TableSpec> all;
  all.push_back({"spans", std::move(spans)});
  all.push_back({"traces", std::move(traces)});
  return all;
}

storage::ColumnRow span_row(Span span) {
  storage::ColumnRow row = shared_row(span);
  row.emplace_back(std::move(span.parent_id));
  row.emplace_back(std::move(span.input.text));
  row.emplace_back(std::move(span.output.text));
  row.emplace_back(attributes_json(span));
  row.emplace_back(std::int64_t{span.end.has_value()});
  return row;
}

storage::ColumnRow trace_row(const Span& root) {
  // Only what the row has: values may be large.
  Span summary{.trace_id = root.trace_id,
               .span_id = root.span_id,
               .project = root.project,
               .name = root.name,
               .kind = root.kind,
               .status = root.status,
               .start = root.start,
               .end = root.end,
               .first_token = root.first_token,
               .app = root.app,
               .model = root.model,
               .session_id = root.session_id,
               .user_id = root.user_id,
               .prompt_tokens = root.prompt_tokens,
               .completion_tokens = root.completion_tokens,
               .error = root.error};
  storage::ColumnRow row = shared_row(summary);
  row.emplace_back(preview_of(root.input.text));
  row.emplace_back(preview_of(root.output.text));
  row.emplace_back(std::int64_t{root.end.has_value()});
  return row;
}

std::string_view summary_columns() { return VOLAN_TRACE_SHARED_COLUMNS ", input_preview, output_preview, is_end, journal_position"; }

std::string span_columns(std::string_view value) {
  return fmt::format(VOLAN_TRACE_SHARED_COLUMNS ", parent_id, {}, {}, attributes, is_end, journal_position",
                     fmt::format(fmt::runtime(value), "input"), fmt::format(fmt::runtime(value), "output"));
}

TraceSummary summary_of(const Row& row, core::Time process_start) {
  TraceSummary view;
  view.id = row.text(0);
  fill(view, row, process_start);
  view.input_preview = text_or_absent(row.text(15));
  view.output_preview = text_or_absent(row.text(16));
  return view;
}

SpanView span_of(const Row& row, core::Time process_start) {
  SpanView view;
  fill(view, row, process_start);
  view.parent_id = text_or_absent(row.text(15));
  view.input = json_or_absent(row.text(16));
  view.output = json_or_absent(row.text(17));
  view.attributes = json_or_absent(row.text(18));
  return view;
}

TraceSummary summary_of(const Span& root) {
  // By way of the row, so that a live event and a list never differ.
  storage::ColumnRow stored = trace_row(root);
  stored.erase(stored.begin());  // project
  Row row;
  row.values = std::move(stored);
  return summary_of(row, root.start);
}

EventRank rank_of(const Row& row) { return {.is_end = row.integer(row.values.size() - 2), .position = row.integer(row.values.size() - 1)}; }

}  // namespace volan::trace
