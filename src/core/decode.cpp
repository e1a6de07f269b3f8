#include "core/decode.hpp"

#include "core/text.hpp"

namespace volan::core {
namespace {

constexpr std::size_t quoted_bytes_max = 64;

std::string_view word_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::null: return "null";
    case ValueKind::boolean: return "boolean";
    case ValueKind::integer:
    case ValueKind::unsigned_integer:
    case ValueKind::real: return "number";
    case ValueKind::string: return "string";
    case ValueKind::array: return "array";
    case ValueKind::object: return "object";
  }
  return "nothing";
}

std::string joined(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  out += truncate_utf8(text, quoted_bytes_max);
  if (text.size() > quoted_bytes_max) out += "...";
  return out += '"';
}

std::string did_you_mean(std::string_view word) { return "did you mean " + quoted(word) + "?"; }

}  // namespace

bool Decoder::read_string(ValueRef value, const Step* at, std::string& out) {
  if (document_.kind(value) == ValueKind::string) return out = document_.string(value), true;
  if (const auto text = document_.text_of_scalar(value)) return out = *text, true;
  return wrong_type(value, at, "a string");
}

bool Decoder::read_time(ValueRef value, const Step* at, Time& out) {
  if (document_.kind(value) != ValueKind::string) return wrong_type(value, at, "a time");
  Result<Time> time = time_from_rfc3339(document_.string(value));
  if (!time) return fail_at(value, at, std::move(time.error().message), std::move(time.error().fix));
  return out = *time, true;
}

bool Decoder::read_real(ValueRef value, const Step* at, double& out) {
  switch (document_.kind(value)) {
    case ValueKind::integer: return out = static_cast<double>(document_.integer(value)), true;
    case ValueKind::unsigned_integer: return out = static_cast<double>(document_.unsigned_integer(value)), true;
    case ValueKind::real: return out = document_.real(value), true;
    default: return wrong_type(value, at, "a number");
  }
}

bool Decoder::fail_at(ValueRef value, const Step* at, std::string message, std::string fix) {
  std::vector<const Step*> steps;
  for (; at != nullptr; at = at->parent) steps.push_back(at);
  std::string path;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if ((*step)->index != npos) {
      path += "[" + std::to_string((*step)->index) + "]";
    } else {
      if (!path.empty()) path += '.';
      path += truncate_utf8((*step)->key, quoted_bytes_max);
    }
  }
  if (std::string position = document_.position(value); !position.empty()) path = path.empty() ? position : position + ": " + path;
  error_ = Error{ErrorCode::invalid_argument, std::move(message), std::move(path), std::move(fix)};
  return false;
}

bool Decoder::wrong_type(ValueRef value, const Step* at, std::string_view expected) {
  // Without the article: "expected string, found number".
  const std::size_t space = expected.find(' ');
  std::string message = "expected ";
  message += expected.substr(space + 1);
  message += ", found ";
  message += word_of(document_.kind(value));
  return fail_at(value, at, std::move(message), "send " + std::string(expected));
}

bool Decoder::out_of_range(ValueRef value, const Step* at, const std::string& min, const std::string& max) {
  return fail_at(value, at, "the number is out of range", "send an integer from " + min + " to " + max);
}

bool Decoder::wrong_name(ValueRef value, const Step* at, std::string_view found, std::span<const std::string_view> allowed) {
  std::string message = "expected one of " + joined(allowed) + ", found ";
  const bool is_text = document_.kind(value) == ValueKind::string || document_.text_of_scalar(value).has_value();
  message += is_text ? quoted(found) : std::string(word_of(document_.kind(value)));
  const auto nearest = nearest_of(found, allowed);
  return fail_at(value, at, std::move(message), nearest ? did_you_mean(*nearest) : std::string());
}

bool Decoder::unknown_field(ValueRef value, const Step* at, std::span<const std::string_view> known) {
  const auto nearest = nearest_of(at->key, known);
  std::string fix = known.empty() ? "this object has no fields" : "valid fields: " + joined(known);
  if (nearest) fix = did_you_mean(*nearest);
  return fail_at(value, at, "unknown field", std::move(fix));
}

bool Decoder::missing(ValueRef object, const Step* at, std::string_view field) {
  const Step step{at, field, npos};
  return fail_at(object, &step, "required field is missing");
}

}  // namespace volan::core
