#include "trace/bounds.hpp"

#include <array>

#include "core/text.hpp"
#include "trace/text.hpp"

namespace volan::trace {
namespace {

template <class S>
auto names_of(S& span) {
  return std::array{&span.trace_id, &span.span_id, &span.parent_id,  &span.project, &span.name,
                    &span.app,      &span.model,   &span.session_id, &span.user_id};
}

bool is_good(const std::string& text, std::size_t bytes_max) { return text.size() <= bytes_max && core::is_valid_utf8(text); }

std::size_t cut_text(std::string& text, std::size_t bytes_max) {
  if (!core::is_valid_utf8(text)) text = core::make_valid_utf8(text);
  if (text.size() <= bytes_max) return 0;
  text.resize(core::truncate_utf8(text, bytes_max).size());
  return 1;
}

/// Cuts a JSON value by making it a JSON string of its first bytes. Escapes can double them, so the stored string stays within 16 MiB.
std::size_t cut_value(Span& span, std::string& json, const std::string& name) {
  if (!core::is_valid_utf8(json)) json = core::make_valid_utf8(json);
  if (json.size() <= span_value_bytes_max) return 0;
  const std::size_t bytes = json.size();
  json = json_quoted(core::truncate_utf8(json, span_value_bytes_max));
  span.attributes.insert_or_assign("volan.cut." + name, core::RawJson{std::to_string(bytes)});
  return 1;
}

}  // namespace

bool is_within_bounds(const Span& span) {
  for (const std::string* name : names_of(span))
    if (!is_good(*name, span_name_bytes_max)) return false;
  if (!is_good(span.error, span_error_bytes_max) || !is_good(span.input.text, span_value_bytes_max) ||
      !is_good(span.output.text, span_value_bytes_max) || span.attributes.size() > span_attributes_max)
    return false;
  for (const auto& [name, value] : span.attributes)
    if (!is_good(name, span_name_bytes_max) || !is_good(value.text, span_value_bytes_max)) return false;
  return true;
}

std::size_t cut_to_bounds(Span& span) {
  std::size_t cuts = 0;
  for (std::string* name : names_of(span)) cuts += cut_text(*name, span_name_bytes_max);
  cuts += cut_text(span.error, span_error_bytes_max);

  std::map<std::string, core::RawJson> attributes = std::move(span.attributes);
  span.attributes.clear();
  const std::size_t dropped = attributes.size() > span_attributes_max ? attributes.size() - span_attributes_max : 0;
  for (const auto& [given_name, value] : attributes) {
    if (span.attributes.size() >= span_attributes_max) break;
    std::string name = given_name;
    cuts += cut_text(name, span_name_bytes_max);
    std::string json = value.text;
    cuts += cut_value(span, json, name);
    span.attributes.insert_or_assign(std::move(name), core::RawJson{std::move(json)});
  }
  if (dropped > 0) {
    span.attributes.insert_or_assign("volan.cut.attributes", core::RawJson{std::to_string(attributes.size())});
    cuts += dropped;
  }
  cuts += cut_value(span, span.input.text, "input");
  cuts += cut_value(span, span.output.text, "output");
  return cuts;
}

}  // namespace volan::trace
