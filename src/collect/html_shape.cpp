// The pre-scan and the charset of a page: everything that is decided before a tree is built.
#include <fmt/format.h>
#include <iconv.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "collect/html.hpp"

namespace volan::collect {
namespace {

using core::ErrorCode;
using core::fail;

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

bool equal_lower(std::string_view text, std::string_view lower_case) {
  return text.size() == lower_case.size() &&
         std::equal(text.begin(), text.end(), lower_case.begin(), [](char a, char b) { return lower(a) == b; });
}
std::size_t find_lower(std::string_view text, std::string_view lower_case, std::size_t from) {
  const auto found = std::search(text.begin() + static_cast<std::ptrdiff_t>(std::min(from, text.size())), text.end(), lower_case.begin(),
                                 lower_case.end(), [](char a, char b) { return lower(a) == b; });
  return found == text.end() ? std::string_view::npos : static_cast<std::size_t>(found - text.begin());
}

// Elements without an end tag, and those whose end the parser supplies itself: neither adds to the depth when it is left open.
constexpr std::array void_or_implied =
    std::to_array<std::string_view>({"area",   "base",  "br",    "col",   "embed", "hr",     "img",  "input", "link", "meta", "param",
                                     "source", "track", "wbr",   "frame", "image", "keygen", "p",    "li",    "dt",   "dd",   "tr",
                                     "td",     "th",    "thead", "tbody", "tfoot", "option", "html", "head",  "body", "a",    "button"});
constexpr std::array raw_text =
    std::to_array<std::string_view>({"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "plaintext"});

bool is_one_of(std::string_view name, std::span<const std::string_view> list) {
  return std::any_of(list.begin(), list.end(), [&](std::string_view each) { return equal_lower(name, each); });
}

std::string_view tag_name(std::string_view html, std::size_t at) {
  std::size_t end = at;
  while (end < html.size() && !is_space(html[end]) && html[end] != '>' && html[end] != '/') ++end;
  return html.substr(at, end - at);
}

struct Tag {
  std::size_t end = 0;  // one past '>'
  std::uint32_t attributes = 0;
  bool is_self_closed = false;
};

// From just after the name to the end of the tag: counts words outside of quotes that begin an attribute.
Tag scan_tag(std::string_view html, std::size_t at) {
  Tag tag;
  bool in_word = false, after_equals = false;
  for (; at < html.size() && html[at] != '>'; ++at) {
    const char c = html[at];
    if (after_equals && (c == '"' || c == '\'')) {
      at = html.find(c, at + 1);
      if (at == std::string_view::npos) return {html.size(), tag.attributes, false};
      in_word = after_equals = false;
    } else if (is_space(c) || c == '/') {
      in_word = false;
    } else if (c == '=') {
      after_equals = true;
    } else if (!in_word) {
      in_word = true;
      if (!after_equals) ++tag.attributes;
      after_equals = false;
    }
    tag.is_self_closed = c == '/';
  }
  tag.end = std::min(at + 1, html.size());
  return tag;
}

std::optional<std::string> convert(std::string_view bytes, const std::string& charset) {
  const iconv_t converter = iconv_open("UTF-8", charset.c_str());
  if (converter == reinterpret_cast<iconv_t>(-1)) return std::nullopt;
  std::string out(bytes.size() * 2 + 64, '\0');
  std::size_t used = 0, left = bytes.size();
  char* in = const_cast<char*>(bytes.data());
  while (left > 0) {
    if (out.size() - used < 16) out.resize(out.size() * 2);
    char* to = out.data() + used;
    std::size_t room = out.size() - used;
    const std::size_t status = iconv(converter, &in, &left, &to, &room);
    used = out.size() - room;
    if (status != static_cast<std::size_t>(-1)) break;
    if (errno == E2BIG) {
      out.resize(out.size() * 2);
    } else {  // a byte that the charset does not have
      if (out.size() - used < 3) out.resize(out.size() + 64);
      out.replace(used, 3, "\xEF\xBF\xBD");
      used += 3;
      ++in;
      --left;
    }
  }
  iconv_close(converter);
  out.resize(used);
  return out;
}

// The charset that a <meta> in the first 4 KiB declares, if any.
std::string declared_charset(std::string_view bytes) {
  const std::string_view head = bytes.substr(0, 4096);
  for (std::size_t at = 0; (at = find_lower(head, "<meta", at)) != std::string_view::npos; ++at) {
    const std::string_view tag = head.substr(at, head.find('>', at) - at);
    std::size_t value = find_lower(tag, "charset", 0);
    if (value == std::string_view::npos) continue;
    value += 7;
    while (value < tag.size() && (is_space(tag[value]) || tag[value] == '=' || tag[value] == '"' || tag[value] == '\'')) ++value;
    std::size_t end = value;
    while (end < tag.size() && (is_letter(tag[end]) || (tag[end] >= '0' && tag[end] <= '9') || tag[end] == '-' || tag[end] == '_')) ++end;
    if (end > value && end - value <= 40) return std::string(tag.substr(value, end - value));
  }
  return {};
}

}  // namespace

core::Result<std::string> html_to_utf8(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  std::string charset;
  if (bytes.starts_with("\xFF\xFE")) charset = "UTF-16LE";
  if (bytes.starts_with("\xFE\xFF")) charset = "UTF-16BE";
  if (!charset.empty()) return *convert(bytes.substr(2), charset);
  if (bytes.substr(0, 1024).find('\0') != std::string_view::npos)
    return fail(ErrorCode::invalid_argument, "not a text file: it has zero bytes at its start", {},
                "leave it out with a `skip` pattern of the source");

  charset = declared_charset(bytes);
  const bool is_utf8 = simdjson::validate_utf8(bytes.data(), bytes.size());
  const bool says_utf8 =
      charset.empty() || equal_lower(charset, "utf-8") || equal_lower(charset, "utf8") || equal_lower(charset, "us-ascii");
  if (says_utf8 && is_utf8) return std::string(bytes);
  // HTML calls windows-1252 what names itself Latin-1 or ASCII (WHATWG Encoding, 4.2); it is also what is left for unlabelled old pages.
  if (says_utf8 || equal_lower(charset, "iso-8859-1") || equal_lower(charset, "latin1")) charset = "WINDOWS-1252";
  if (find_lower(charset, "utf-16", 0) == 0) charset = is_utf8 ? "UTF-8" : "WINDOWS-1252";  // its <meta> was read as ASCII, so it is none
  if (auto text = convert(bytes, charset)) return std::move(*text);
  if (is_utf8) return std::string(bytes);
  return *convert(bytes, "WINDOWS-1252");
}

core::Result<> check_html_shape(std::string_view html, const HtmlLimits& limits) {
  std::uint64_t depth = 0;
  bool in_foreign = false;
  for (std::size_t at = 0; (at = html.find('<', at)) != std::string_view::npos;) {
    if (html.substr(at).starts_with("<!--")) {
      const std::size_t end = html.find("-->", at + 4);
      at = end == std::string_view::npos ? html.size() : end + 3;
      continue;
    }
    const bool is_end = at + 1 < html.size() && html[at + 1] == '/';
    const std::size_t name_at = at + (is_end ? 2 : 1);
    if (name_at >= html.size() || !is_letter(html[name_at])) {
      ++at;
      continue;
    }
    const std::string_view name = tag_name(html, name_at);
    const Tag tag = scan_tag(html, name_at + name.size());
    if (tag.attributes > limits.attributes_max)
      return fail(ErrorCode::too_large,
                  fmt::format("a <{}> tag at byte {} has more than {} attributes", name.substr(0, 20), at, limits.attributes_max));
    at = tag.end;
    if (is_one_of(name, void_or_implied)) continue;
    if (is_end) {
      if (depth > 0) --depth;
      if (equal_lower(name, "svg") || equal_lower(name, "math")) in_foreign = false;
      continue;
    }
    if (is_one_of(name, raw_text)) {  // no tags inside
      std::string end_tag = "</";
      std::transform(name.begin(), name.end(), std::back_inserter(end_tag), lower);
      at = std::min(find_lower(html, end_tag, at), html.size());
      if (at < html.size()) at += 2;
      continue;
    }
    if (equal_lower(name, "svg") || equal_lower(name, "math")) in_foreign = true;
    if (in_foreign && tag.is_self_closed) continue;  // only there does "/>" close
    if (++depth > limits.nesting_max)
      return fail(ErrorCode::too_large, fmt::format("elements are nested more than {} deep at byte {}", limits.nesting_max, at), {},
                  "leave the page out with a `skip` pattern, or raise `nesting_max` of the source");
  }
  return {};
}

}  // namespace volan::collect
