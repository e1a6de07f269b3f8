#include "core/log.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <iterator>

#include "core/json_text.hpp"
#include "core/time.hpp"

namespace volan::core {
namespace {

constexpr std::string_view level_names[] = {"debug", "info", "warn", "error"};

/// A word that can stand in a readable line without quotes.
bool is_plain(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\\' || static_cast<unsigned char>(c) >= 0x7F) return false;
  return true;
}

void append_value(std::string& out, const LogField& field, bool is_json) {
  std::visit(
      [&](const auto& value) {
        using V = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<V, std::string_view>) {
          if (!is_json && is_plain(value))
            out += value;
          else
            append_json_string(out, value);
        } else if constexpr (std::is_same_v<V, bool>) {
          out += value ? "true" : "false";
        } else {
          append_json_number(out, value);
        }
      },
      field.value);
}

}  // namespace

Log::Log(LogLevel level, Format format) : level_(level), format_(format) {
  logger_ = std::make_shared<spdlog::logger>("volan", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger_->set_pattern("%v");
  logger_->set_level(spdlog::level::trace);
}

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const {
  if (!is_on(level) || level >= LogLevel::off) return;
  const std::string_view name = level_names[static_cast<std::size_t>(level)];
  const std::string time = to_rfc3339(SystemClock().now());
  std::string line;
  if (format_ == Format::json) {
    line = "{\"time\":\"" + time + "\",\"level\":\"";
    line += name;
    line += "\",\"event\":";
    append_json_string(line, event);
    for (const auto& field : fields) {
      line += ',';
      append_json_string(line, field.key);
      line += ':';
      append_value(line, field, true);
    }
    line += '}';
  } else {
    fmt::format_to(std::back_inserter(line), "{} {:<5} {}", std::string_view(time).substr(11, 12), name, event);
    for (const auto& field : fields) {
      line += ' ';
      line += field.key;
      line += '=';
      append_value(line, field, false);
    }
  }
  logger_->log(level >= LogLevel::warn ? spdlog::level::warn : spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace volan::core
