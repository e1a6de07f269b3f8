#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "core/json.hpp"
#include "core/text.hpp"

namespace volan::core {
namespace {

constexpr std::size_t text_bytes_max = 4u << 20;
constexpr std::size_t values_max = 100'000;
constexpr std::size_t depth_max = 64;

/// One value of the file after aliases, variables and scalar types are resolved.
struct YamlValue {
  ValueKind kind = ValueKind::null;
  int line = 0;        ///< from 1; of the key where there is one
  std::string text{};  ///< of a scalar, as written
  bool boolean = false;
  std::int64_t integer = 0;
  std::uint64_t unsigned_integer = 0;
  double real = 0;
  std::vector<YamlValue> children{};
  std::vector<std::string> keys{};  ///< of an object, one per child
};

std::unexpected<Error> yaml_error(std::string_view file, int line, std::string message, std::string fix = {},
                                  ErrorCode code = ErrorCode::invalid_argument) {
  std::string path(file);
  if (line > 0) path += ":" + std::to_string(line);
  return fail(code, std::move(message), std::move(path), std::move(fix));
}

bool is_number_start(std::string_view text) {
  return !text.empty() && (text[0] == '-' || text[0] == '+' || text[0] == '.' || (text[0] >= '0' && text[0] <= '9'));
}

/// Types a plain scalar by the core schema of YAML 1.2 (section 10.3.2); infinities and NaN stay text, for JSON has none.
void resolve_plain(YamlValue& value) {
  std::string_view text = value.text;
  value.kind = ValueKind::string;
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    value.kind = ValueKind::null;
  } else if (text == "true" || text == "True" || text == "TRUE" || text == "false" || text == "False" || text == "FALSE") {
    value.kind = ValueKind::boolean;
    value.boolean = text[0] == 't' || text[0] == 'T';
  } else if (is_number_start(text)) {
    if (text[0] == '+') text.remove_prefix(1);
    int base = 10;
    if (text.starts_with("0x")) base = 16;
    if (text.starts_with("0o")) base = 8;
    const char* begin = text.data() + (base == 10 ? 0 : 2);
    const char* end = text.data() + text.size();
    if (const auto r = std::from_chars(begin, end, value.integer, base); r.ec == std::errc() && r.ptr == end) {
      value.kind = ValueKind::integer;
    } else if (const auto u = std::from_chars(begin, end, value.unsigned_integer, base); u.ec == std::errc() && u.ptr == end) {
      value.kind = ValueKind::unsigned_integer;
    } else if (const auto d = std::from_chars(text.data(), end, value.real);
               d.ec == std::errc() && d.ptr == end && std::isfinite(value.real)) {
      value.kind = ValueKind::real;
    }
  }
}

/// Copies yaml-cpp's graph into a tree of ours and checks the limits on the way.
class Builder {
 public:
  explicit Builder(std::string_view file) : file_(file) {}

  Result<YamlValue> build(const YAML::Node& node, int line, std::size_t depth_left) {
    if (++values_ > values_max)
      return yaml_error(file_, line, "more than 100,000 values after aliases are followed", {}, ErrorCode::too_large);
    if (depth_left == 0) return yaml_error(file_, line, "nested deeper than 64 levels");
    YamlValue value;
    value.line = line;
    const std::string& tag = node.Tag();
    if (!tag.empty() && tag != "?" && tag != "!")
      return yaml_error(file_, line, "tags like " + tag + " are not supported", "remove the tag");
    switch (node.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null: return value;
      case YAML::NodeType::Scalar: return build_scalar(node, std::move(value));
      case YAML::NodeType::Sequence: return build_sequence(node, std::move(value), depth_left);
      case YAML::NodeType::Map: return build_map(node, std::move(value), depth_left);
    }
    return value;
  }

 private:
  Result<YamlValue> build_scalar(const YAML::Node& node, YamlValue value) {
    const bool is_plain = node.Tag() != "!";
    value.text = node.Scalar();
    VOLAN_TRY(const bool is_expanded, expand(value));
    value.kind = ValueKind::string;
    if (is_plain) resolve_plain(value);
    // An empty variable is an empty text, not an absent value.
    if (is_expanded && value.kind == ValueKind::null) value.kind = ValueKind::string;
    return value;
  }

  Result<YamlValue> build_sequence(const YAML::Node& node, YamlValue value, std::size_t depth_left) {
    value.kind = ValueKind::array;
    value.children.reserve(node.size());
    for (const auto& item : node) {
      VOLAN_TRY(YamlValue child, build(item, line_of(item, value.line), depth_left - 1));
      value.children.push_back(std::move(child));
    }
    return value;
  }

  Result<YamlValue> build_map(const YAML::Node& node, YamlValue value, std::size_t depth_left) {
    value.kind = ValueKind::object;
    std::map<std::string, int, std::less<>> lines;
    for (const auto& member : node) {
      const int line = line_of(member.first, value.line);
      if (!member.first.IsScalar()) return yaml_error(file_, line, "expected a text as key");
      const std::string& key = member.first.Scalar();
      if (key == "<<")
        return yaml_error(file_, line, "merge keys (<<) are not supported", "write the fields out, or use an alias for the whole value");
      const auto [first, is_new] = lines.emplace(key, line);
      if (!is_new)
        return yaml_error(file_, line, "the key " + key + " appears twice, first in line " + std::to_string(first->second), "remove one");
      VOLAN_TRY(YamlValue child, build(member.second, line, depth_left - 1));
      value.keys.push_back(key);
      value.children.push_back(std::move(child));
    }
    return value;
  }

  /// Replaces ${env:NAME} in the text; true if there was one.
  Result<bool> expand(YamlValue& value) const {
    constexpr std::string_view opening = "${env:";
    std::string out;
    std::string_view rest = value.text;
    bool is_expanded = false;
    for (std::size_t at = rest.find(opening); at != std::string_view::npos; at = rest.find(opening)) {
      if (at > 0 && rest[at - 1] == '$') {  // $${env: stands for ${env:
        out += rest.substr(0, at - 1);
        out += opening;
        rest.remove_prefix(at + opening.size());
        continue;
      }
      const std::size_t end = rest.find('}', at);
      if (end == std::string_view::npos) return yaml_error(file_, value.line, "${env: without a closing brace", "write ${env:NAME}");
      const std::string name(rest.substr(at + opening.size(), end - at - opening.size()));
      const char* found = name.empty() ? nullptr : std::getenv(name.c_str());
      if (found == nullptr) {
        return yaml_error(file_, value.line, "the environment variable \"" + make_valid_utf8(name) + "\" is not set",
                          "set it before volan starts");
      }
      if (!is_valid_utf8(found)) return yaml_error(file_, value.line, "the environment variable " + name + " is not valid UTF-8");
      out += rest.substr(0, at);
      out += found;
      rest.remove_prefix(end + 1);
      is_expanded = true;
    }
    out += rest;
    value.text = std::move(out);
    return is_expanded;
  }

  static int line_of(const YAML::Node& node, int otherwise) { return node.Mark().is_null() ? otherwise : node.Mark().line + 1; }

  std::string_view file_;
  std::size_t values_ = 0;
};

class YamlDocument final : public Document {
 public:
  explicit YamlDocument(std::string_view file) : file_(file) {}
  static ValueRef ref(const YamlValue& value) { return {&value, 0}; }
  static const YamlValue& value_of(ValueRef value) { return *static_cast<const YamlValue*>(value.data); }

  ValueKind kind(ValueRef value) const override { return value_of(value).kind; }
  bool boolean(ValueRef value) const override { return value_of(value).boolean; }
  std::int64_t integer(ValueRef value) const override { return value_of(value).integer; }
  std::uint64_t unsigned_integer(ValueRef value) const override { return value_of(value).unsigned_integer; }
  double real(ValueRef value) const override { return value_of(value).real; }
  std::string_view string(ValueRef value) const override { return value_of(value).text; }
  std::optional<std::string_view> text_of_scalar(ValueRef value) const override {
    const YamlValue& v = value_of(value);
    if (v.kind == ValueKind::null || v.kind == ValueKind::array || v.kind == ValueKind::object) return std::nullopt;
    return v.text;
  }
  bool each_element(ValueRef array, ElementVisitor visit) const override {
    for (const auto& child : value_of(array).children)
      if (!visit(ref(child))) return false;
    return true;
  }
  bool each_member(ValueRef object, MemberVisitor visit) const override {
    const YamlValue& v = value_of(object);
    for (std::size_t i = 0; i < v.children.size(); ++i)
      if (!visit(v.keys[i], ref(v.children[i]))) return false;
    return true;
  }
  void append_json(std::string& out, ValueRef value) const override { append(out, value_of(value)); }
  std::string position(ValueRef value) const override { return std::string(file_) + ":" + std::to_string(value_of(value).line); }

 private:
  static void append(std::string& out, const YamlValue& value) {
    switch (value.kind) {
      case ValueKind::null: out += "null"; return;
      case ValueKind::boolean: out += value.boolean ? "true" : "false"; return;
      case ValueKind::integer: return append_json_number(out, value.integer);
      case ValueKind::unsigned_integer: return append_json_number(out, value.unsigned_integer);
      case ValueKind::real: return append_json_number(out, value.real);
      case ValueKind::string: return append_json_string(out, value.text);
      case ValueKind::array:
      case ValueKind::object: break;
    }
    const bool is_object = value.kind == ValueKind::object;
    out += is_object ? '{' : '[';
    for (std::size_t i = 0; i < value.children.size(); ++i) {
      if (i > 0) out += ',';
      if (is_object) {
        append_json_string(out, value.keys[i]);
        out += ':';
      }
      append(out, value.children[i]);
    }
    out += is_object ? '}' : ']';
  }

  std::string_view file_;
};

/// Takes note of where a document starts and of nothing else.
class DocumentStart final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override { line = mark.line + 1; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

  int line = 0;
};

/// The line at which something follows the first document, or 0. (YAML::LoadAll would tell as well, but never returns for some texts.)
int line_after_first_document(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentStart handler;
  if (!parser.HandleNextDocument(handler) || !parser.HandleNextDocument(handler)) return 0;
  return handler.line;
}

Result<YamlValue> parse(std::string_view view, std::string_view file) {
  const std::string text(view);
  try {
    if (const int line = line_after_first_document(text); line != 0) {
      return yaml_error(file, line, "expected one document, found more", "remove the --- line, or what does not belong there");
    }
    return Builder(file).build(YAML::Load(text), 1, depth_max);
  } catch (const YAML::Exception& e) {
    return yaml_error(file, e.mark.is_null() ? 0 : e.mark.line + 1, "invalid YAML: " + e.msg);
  } catch (const std::exception& e) {
    return yaml_error(file, 0, std::string("invalid YAML: ") + e.what());
  }
}

}  // namespace

namespace json_detail {

Result<> with_yaml_text(std::string_view text, std::string_view file, const Use& use) {
  if (text.size() > text_bytes_max) return yaml_error(file, 0, "the file is larger than 4 MiB", {}, ErrorCode::too_large);
  if (!is_valid_utf8(text)) return yaml_error(file, 0, "the file is not valid UTF-8", "save it as UTF-8");
  VOLAN_TRY(const YamlValue root, parse(text, file));
  return use(YamlDocument(file), YamlDocument::ref(root));
}

}  // namespace json_detail
}  // namespace volan::core
