#include "trace/span_entry.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>

namespace volan::trace {
namespace {

static_assert(std::endian::native == std::endian::little, "entries are little-endian; add byte swaps for this machine");

// Stored numbers of the enumerators: positions in these lists, which only ever grow at the end.
constexpr std::array kinds = {SpanKind::chain,    SpanKind::llm,       SpanKind::retriever, SpanKind::embedding,
                              SpanKind::reranker, SpanKind::guardrail, SpanKind::tool,      SpanKind::step};
constexpr std::array statuses = {SpanStatus::running, SpanStatus::ok, SpanStatus::error, SpanStatus::cancelled};

template <class List, class Enum>
std::uint8_t number_of(const List& list, Enum value) {
  for (std::size_t i = 0; i < list.size(); ++i)
    if (list[i] == value) return static_cast<std::uint8_t>(i);
  VOLAN_CHECK(false, "every enumerator has a stored number");
  return 0;
}

constexpr std::size_t varint_bytes(std::uint64_t value) {
  std::size_t bytes = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++bytes;
  }
  return bytes;
}

/// Appends to a buffer whose final size is known.
class Writer {
 public:
  explicit Writer(char* at) : at_(at) {}
  void byte(std::uint8_t value) { *at_++ = static_cast<char>(value); }
  void integer(std::int64_t value) {
    std::memcpy(at_, &value, sizeof value);
    at_ += sizeof value;
  }
  void varint(std::uint64_t value) {
    while (value >= 0x80) {
      byte(static_cast<std::uint8_t>(value | 0x80));
      value >>= 7;
    }
    byte(static_cast<std::uint8_t>(value));
  }
  void text(std::string_view value) {
    varint(value.size());
    std::memcpy(at_, value.data(), value.size());
    at_ += value.size();
  }

 private:
  char* at_;
};

/// Takes values from the front; after the first failure everything is empty and ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}
  bool ok() const { return is_ok_; }
  bool at_end() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return failed<std::uint8_t>();
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  std::int64_t integer() {
    std::int64_t value = 0;
    if (rest_.size() < sizeof value) return failed<std::int64_t>();
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
      const std::uint8_t next = byte();
      value |= static_cast<std::uint64_t>(next & 0x7F) << shift;
      if (!(next & 0x80)) return value;
    }
    return failed<std::uint64_t>();
  }
  std::string text() {
    const std::uint64_t size = varint();
    if (size > rest_.size() || size > span_entry_text_bytes_max) return failed<std::string>();
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }

 private:
  template <class T>
  T failed() {
    is_ok_ = false;
    rest_ = {};
    return {};
  }
  std::string_view rest_;
  bool is_ok_ = true;
};

/// The texts of a span in stored order.
template <class S>
auto texts_of(S& span) {
  return std::array{&span.trace_id, &span.span_id,    &span.parent_id, &span.project,    &span.name,        &span.app,
                    &span.model,    &span.session_id, &span.user_id,   &span.input.text, &span.output.text, &span.error};
}

core::Result<Span> bad(std::string_view what) {
  return core::fail(core::ErrorCode::data_loss, fmt::format("a stored span is unreadable: {}", what), {},
                    "keep the data folder and report it; it was written by another program or damaged after its checksum was made");
}

}  // namespace

std::string encode_span(const Span& span) {
  std::size_t size = span_entry_fixed_bytes + varint_bytes(span.attributes.size());
  for (const std::string* text : texts_of(span)) size += varint_bytes(text->size()) + text->size();
  for (const auto& [name, value] : span.attributes)
    size += varint_bytes(name.size()) + name.size() + varint_bytes(value.text.size()) + value.text.size();

  std::string out(size, '\0');
  Writer writer(out.data());
  writer.byte(static_cast<std::uint8_t>((span.end ? span_entry_has_end : 0) | (span.first_token ? span_entry_has_first_token : 0)));
  writer.byte(number_of(kinds, span.kind));
  writer.byte(number_of(statuses, span.status));
  writer.byte(0);
  writer.integer(span.start.ns);
  writer.integer(span.end ? span.end->ns : 0);
  writer.integer(span.first_token ? span.first_token->ns : 0);
  writer.integer(span.prompt_tokens);
  writer.integer(span.completion_tokens);
  for (const std::string* text : texts_of(span)) writer.text(*text);
  writer.varint(span.attributes.size());
  for (const auto& [name, value] : span.attributes) {
    writer.text(name);
    writer.text(value.text);
  }
  return out;
}

core::Result<Span> decode_span(std::uint16_t version, std::string_view body) {
  if (version != span_entry_version)
    return core::fail(core::ErrorCode::data_loss,
                      fmt::format("a stored span has version {}; this program reads version {}", version, span_entry_version), {},
                      "start the newer program that wrote it");
  Reader reader(body);
  const std::uint8_t flags = reader.byte();
  const std::uint8_t kind = reader.byte();
  const std::uint8_t status = reader.byte();
  const std::uint8_t zero = reader.byte();
  if (!reader.ok()) return bad("it is too short");
  if (flags > 3 || zero != 0) return bad("unknown flags");
  if (kind >= kinds.size()) return bad(fmt::format("unknown kind {}", kind));
  if (status >= statuses.size()) return bad(fmt::format("unknown status {}", status));
  Span span;
  span.kind = kinds[kind];
  span.status = statuses[status];
  span.start = {reader.integer()};
  const std::int64_t end_ns = reader.integer();
  const std::int64_t first_token_ns = reader.integer();
  if (flags & span_entry_has_end) span.end = core::Time{end_ns};
  if (flags & span_entry_has_first_token) span.first_token = core::Time{first_token_ns};
  span.prompt_tokens = reader.integer();
  span.completion_tokens = reader.integer();
  for (std::string* text : texts_of(span)) *text = reader.text();
  const std::uint64_t attributes = reader.varint();
  if (attributes > span_entry_attributes_max) return bad(fmt::format("{} attributes", attributes));
  for (std::uint64_t i = 0; i < attributes && reader.ok(); ++i) {
    std::string name = reader.text();
    span.attributes.insert_or_assign(std::move(name), core::RawJson{reader.text()});
  }
  if (!reader.ok()) return bad("a length goes beyond its end");
  if (!reader.at_end()) return bad("bytes follow its end");
  return span;
}

}  // namespace volan::trace
