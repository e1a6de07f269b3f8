#include "core/json.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>
#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>
#include <memory>
#include <unordered_set>

#include "core/text.hpp"

namespace volan::core {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

/// Whatever is parsed, the recursion stays far from the end of the stack.
constexpr std::size_t depth_limit = 1000;

std::unexpected<Error> too_deep(std::size_t depth_max) {
  return fail(ErrorCode::invalid_argument, "the JSON is nested deeper than " + std::to_string(depth_max) + " levels");
}

// simdjson returns errors instead of values where the type is another; these are only called after it was checked.
template <class T>
T scalar_of(element e) {
  T value{};
  if (e.get(value) != simdjson::SUCCESS) return T{};
  return value;
}
simdjson::dom::array array_of(element e) { return scalar_of<simdjson::dom::array>(e); }
simdjson::dom::object object_of(element e) { return scalar_of<simdjson::dom::object>(e); }

/// simdjson's tree. A ValueRef holds the bytes of a dom::element: a document pointer and an index into its tape.
class SimdjsonDocument final : public Document {
 public:
  static ValueRef ref(element e) {
    static_assert(sizeof(element) == sizeof(ValueRef) && std::is_trivially_copyable_v<element>);
    return std::bit_cast<ValueRef>(e);
  }
  static element value_of(ValueRef value) { return std::bit_cast<element>(value); }

  ValueKind kind(ValueRef value) const override {
    switch (value_of(value).type()) {
      case element_type::ARRAY: return ValueKind::array;
      case element_type::OBJECT: return ValueKind::object;
      case element_type::INT64: return ValueKind::integer;
      case element_type::UINT64: return ValueKind::unsigned_integer;
      case element_type::DOUBLE: return ValueKind::real;
      case element_type::STRING: return ValueKind::string;
      case element_type::BOOL: return ValueKind::boolean;
      case element_type::NULL_VALUE: break;
    }
    return ValueKind::null;
  }
  bool boolean(ValueRef value) const override { return scalar_of<bool>(value_of(value)); }
  std::int64_t integer(ValueRef value) const override { return scalar_of<std::int64_t>(value_of(value)); }
  std::uint64_t unsigned_integer(ValueRef value) const override { return scalar_of<std::uint64_t>(value_of(value)); }
  double real(ValueRef value) const override { return scalar_of<double>(value_of(value)); }
  std::string_view string(ValueRef value) const override { return scalar_of<std::string_view>(value_of(value)); }

  bool each_element(ValueRef array, ElementVisitor visit) const override {
    for (const element e : array_of(value_of(array)))
      if (!visit(ref(e))) return false;
    return true;
  }
  bool each_member(ValueRef object, MemberVisitor visit) const override {
    for (const auto& [key, e] : object_of(value_of(object)))
      if (!visit(key, ref(e))) return false;
    return true;
  }
  void append_json(std::string& out, ValueRef value) const override { append(out, value_of(value)); }

 private:
  static void append(std::string& out, element e) {
    switch (e.type()) {
      case element_type::ARRAY: {
        char separator = '[';
        for (const element item : array_of(e)) {
          out += separator;
          separator = ',';
          append(out, item);
        }
        out += separator == '[' ? "[]" : "]";
        return;
      }
      case element_type::OBJECT: {
        char separator = '{';
        for (const auto& [key, item] : object_of(e)) {
          out += separator;
          separator = ',';
          append_json_string(out, key);
          out += ':';
          append(out, item);
        }
        out += separator == '{' ? "{}" : "}";
        return;
      }
      case element_type::INT64: return append_json_number(out, scalar_of<std::int64_t>(e));
      case element_type::UINT64: return append_json_number(out, scalar_of<std::uint64_t>(e));
      case element_type::DOUBLE: return append_real(out, scalar_of<double>(e));
      case element_type::STRING: return append_json_string(out, scalar_of<std::string_view>(e));
      case element_type::BOOL: out += scalar_of<bool>(e) ? "true" : "false"; return;
      case element_type::NULL_VALUE: out += "null"; return;
    }
  }
  /// 1.0 stays a real number when the text is read again.
  static void append_real(std::string& out, double number) {
    const std::size_t start = out.size();
    append_json_number(out, number);
    if (out.find_first_of(".en", start) == std::string::npos) out += ".0";
  }
};

/// Boost.JSON's tree: the word of a ValueRef points to the value. Its parser has removed repeated keys.
class BoostDocument final : public Document {
 public:
  static ValueRef ref(const boost::json::value& value) { return {&value, 0}; }
  static const boost::json::value& value_of(ValueRef value) { return *static_cast<const boost::json::value*>(value.data); }

  ValueKind kind(ValueRef value) const override {
    switch (value_of(value).kind()) {
      case boost::json::kind::null: return ValueKind::null;
      case boost::json::kind::bool_: return ValueKind::boolean;
      case boost::json::kind::int64: return ValueKind::integer;
      case boost::json::kind::uint64: return value_of(value).get_uint64() >> 63 ? ValueKind::unsigned_integer : ValueKind::integer;
      case boost::json::kind::double_: return ValueKind::real;
      case boost::json::kind::string: return ValueKind::string;
      case boost::json::kind::array: return ValueKind::array;
      case boost::json::kind::object: break;
    }
    return ValueKind::object;
  }
  bool boolean(ValueRef value) const override { return value_of(value).get_bool(); }
  std::int64_t integer(ValueRef value) const override {
    const auto& v = value_of(value);
    return v.is_int64() ? v.get_int64() : static_cast<std::int64_t>(v.get_uint64());
  }
  std::uint64_t unsigned_integer(ValueRef value) const override { return value_of(value).get_uint64(); }
  double real(ValueRef value) const override { return value_of(value).get_double(); }
  std::string_view string(ValueRef value) const override {
    const auto& text = value_of(value).get_string();
    return {text.data(), text.size()};
  }
  bool each_element(ValueRef array, ElementVisitor visit) const override {
    for (const auto& e : value_of(array).get_array())
      if (!visit(ref(e))) return false;
    return true;
  }
  bool each_member(ValueRef object, MemberVisitor visit) const override {
    for (const auto& member : value_of(object).get_object())
      if (!visit(std::string_view(member.key().data(), member.key().size()), ref(member.value()))) return false;
    return true;
  }
  void append_json(std::string& out, ValueRef value) const override { out += boost::json::serialize(value_of(value)); }
};

bool has_unique_keys(simdjson::dom::object object, std::string_view& repeated) {
  constexpr std::size_t few = 16;
  if (object.size() <= few) {
    std::array<std::string_view, few> seen;
    std::size_t count = 0;
    for (const auto& [key, unused] : object) {
      if (std::find(seen.begin(), seen.begin() + count, key) != seen.begin() + count) return repeated = key, false;
      seen[count++] = key;
    }
    return true;
  }
  std::unordered_set<std::string_view> seen;
  for (const auto& [key, unused] : object)
    if (!seen.insert(key).second) return repeated = key, false;
  return true;
}

/// Checks what simdjson does not: our depth limit and repeated keys. `path` grows on the way down and is only read for an error.
Result<> check_tree(element e, std::size_t depth_left, std::size_t depth_max, std::string& path) {
  const std::size_t path_size = path.size();
  if (e.is_object()) {
    if (depth_left == 0) return too_deep(depth_max);
    const auto object = object_of(e);
    std::string_view repeated;
    if (!has_unique_keys(object, repeated)) {
      if (!path.empty()) path += '.';
      path += truncate_utf8(repeated, 64);
      return fail(ErrorCode::invalid_argument, "the field appears twice", path, "send it once");
    }
    for (const auto& [key, member] : object) {
      if (!member.is_object() && !member.is_array()) continue;
      if (!path.empty()) path += '.';
      path += truncate_utf8(key, 64);
      VOLAN_TRY_VOID(check_tree(member, depth_left - 1, depth_max, path));
      path.resize(path_size);
    }
  } else if (e.is_array()) {
    if (depth_left == 0) return too_deep(depth_max);
    std::size_t index = 0;
    for (const element item : array_of(e)) {
      if (item.is_object() || item.is_array()) {
        path += '[' + std::to_string(index) + ']';
        VOLAN_TRY_VOID(check_tree(item, depth_left - 1, depth_max, path));
        path.resize(path_size);
      }
      ++index;
    }
  }
  return {};
}

/// simdjson says what is wrong but not where; Boost.JSON's parser finds the place. Only for errors.
std::string place_of_syntax_error(std::string_view bytes) {
  boost::json::parse_options options;
  options.max_depth = depth_limit;
  boost::json::stream_parser parser({}, options);
  boost::json::error_code error;
  const std::size_t used = parser.write_some(bytes.data(), bytes.size(), error);
  if (!error && used == bytes.size()) {
    parser.finish(error);
    if (error) return "at the end: the text is incomplete";
    return "";
  }
  const std::string_view before = bytes.substr(0, used);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t newline = before.rfind('\n');
  const std::size_t column = newline == std::string_view::npos ? used + 1 : used - newline;
  return "at line " + std::to_string(line) + ", column " + std::to_string(column) +
         (error ? ": " + error.message() : ": bytes follow the value");
}

Error syntax_error(std::string_view bytes, simdjson::error_code code, std::size_t depth_max) {
  if (code == simdjson::DEPTH_ERROR) return too_deep(depth_max).error();
  const auto invalid = [](std::string message, std::string fix = {}) {
    return Error{ErrorCode::invalid_argument, std::move(message), {}, std::move(fix)};
  };
  if (code == simdjson::CAPACITY) return Error{ErrorCode::too_large, "the JSON text is larger than 4 GiB"};
  if (code == simdjson::MEMALLOC) return Error{ErrorCode::resource_exhausted, "no memory for the JSON text"};
  if (bytes.find_first_not_of(" \t\r\n") == std::string_view::npos) return invalid("expected JSON, found nothing");
  if (!is_valid_utf8(bytes)) return invalid("the JSON text is not valid UTF-8", "encode it as UTF-8");
  const std::string place = place_of_syntax_error(bytes);
  if (place.empty()) return invalid(std::string("invalid JSON: ") + simdjson::error_message(code));
  return invalid("invalid JSON " + place);
}

/// Parses and checks; `use` gets the root. The parser's buffers are kept per thread unless they have grown large.
template <class Use>
Result<> with_parsed(std::string_view bytes, std::size_t depth_max, const Use& use) {
  constexpr std::size_t kept_bytes_max = 4u << 20;
  depth_max = std::min(depth_max, depth_limit);
  thread_local std::unique_ptr<simdjson::dom::parser> kept;
  // Taken out while in use, so that a use that parses again gets a parser of its own.
  std::unique_ptr<simdjson::dom::parser> parser = std::move(kept);
  if (!parser) parser = std::make_unique<simdjson::dom::parser>();
  element root;
  if (const auto code = parser->parse(bytes.data(), bytes.size()).get(root)) return fail(syntax_error(bytes, code, depth_max));
  std::string path;
  Result<> result = check_tree(root, depth_max, depth_max, path);
  if (result) result = use(root);
  if (parser->capacity() <= kept_bytes_max) kept = std::move(parser);
  return result;
}

boost::json::value to_boost(element e) {
  switch (e.type()) {
    case element_type::ARRAY: {
      boost::json::array array;
      const auto items = array_of(e);
      array.reserve(items.size());
      for (const element item : items) array.push_back(to_boost(item));
      return array;
    }
    case element_type::OBJECT: {
      boost::json::object object;
      const auto members = object_of(e);
      object.reserve(members.size());
      for (const auto& [key, member] : members) object.emplace(boost::json::string_view(key.data(), key.size()), to_boost(member));
      return object;
    }
    case element_type::INT64: return scalar_of<std::int64_t>(e);
    case element_type::UINT64: return scalar_of<std::uint64_t>(e);
    case element_type::DOUBLE: return scalar_of<double>(e);
    case element_type::STRING: {
      const std::string_view text = scalar_of<std::string_view>(e);
      return boost::json::string(text.data(), text.size());
    }
    case element_type::BOOL: return scalar_of<bool>(e);
    case element_type::NULL_VALUE: break;
  }
  return nullptr;
}

bool is_deeper_than(const boost::json::value& value, std::size_t depth_max) {
  if (!value.is_object() && !value.is_array()) return false;
  if (depth_max == 0) return true;
  if (value.is_array())
    return std::any_of(value.get_array().begin(), value.get_array().end(), [&](const auto& e) { return is_deeper_than(e, depth_max - 1); });
  return std::any_of(value.get_object().begin(), value.get_object().end(),
                     [&](const auto& member) { return is_deeper_than(member.value(), depth_max - 1); });
}

}  // namespace

Result<boost::json::value> parse_json(std::string_view bytes, std::size_t depth_max) {
  boost::json::value value;
  VOLAN_TRY_VOID(with_parsed(bytes, depth_max, [&](element root) -> Result<> {
    value = to_boost(root);
    return {};
  }));
  return value;
}

namespace json_detail {

Result<> with_json_text(std::string_view bytes, std::size_t depth_max, const Use& use) {
  return with_parsed(bytes, depth_max, [&](element root) { return use(SimdjsonDocument(), SimdjsonDocument::ref(root)); });
}

Result<> with_json_value(const boost::json::value& value, std::size_t depth_max, const Use& use) {
  if (is_deeper_than(value, std::min(depth_max, depth_limit))) return too_deep(depth_max);
  return use(BoostDocument(), BoostDocument::ref(value));
}

boost::json::object component_ref(std::string_view name) { return {{"$ref", "#/components/schemas/" + std::string(name)}}; }

boost::json::value with_doc(boost::json::value schema, std::string_view doc) {
  if (!doc.empty()) schema.as_object()["description"] = doc;
  return schema;
}

boost::json::value integer_schema(double min, double max, bool is_signed, int bits) {
  boost::json::object schema{{"type", "integer"}};
  if (bits == 64 && is_signed) {
    schema["format"] = "int64";
  } else if (bits == 32 && is_signed) {
    schema["format"] = "int32";
  } else {
    schema["minimum"] = static_cast<std::int64_t>(min);
    if (bits < 64) schema["maximum"] = static_cast<std::int64_t>(max);
  }
  return schema;
}

}  // namespace json_detail
}  // namespace volan::core
