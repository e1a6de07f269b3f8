// Server-sent events as in WHATWG HTML, 9.2.6 "Interpreting an event stream".
#include "net/http_client.hpp"

namespace volan::net {

core::Result<> SseParser::feed(std::string_view bytes, std::vector<Event>& out) {
  while (!bytes.empty()) {
    if (last_was_cr_ && bytes.front() == '\n') {  // the second half of a CRLF
      bytes.remove_prefix(1);
      last_was_cr_ = false;
      continue;
    }
    last_was_cr_ = false;
    const std::size_t end = bytes.find_first_of("\r\n");
    const std::string_view part = bytes.substr(0, end);
    if (line_.size() + part.size() + data_.size() > event_bytes_max)
      return core::fail(core::ErrorCode::too_large, "a server-sent event is longer than " + std::to_string(event_bytes_max) + " bytes");
    if (end == std::string_view::npos) {
      line_.append(part);
      return {};
    }
    last_was_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    if (line_.empty()) {
      take_line(part, out);
    } else {
      line_.append(part);
      take_line(line_, out);
      line_.clear();
    }
  }
  return {};
}

void SseParser::take_line(std::string_view line, std::vector<Event>& out) {
  if (at_start_ && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  at_start_ = false;
  if (line.empty()) {
    if (has_data_) {
      data_.pop_back();  // the newline after the last data line
      out.push_back(Event{std::move(type_), std::move(data_), id_});
    }
    type_.clear();
    data_.clear();
    has_data_ = false;
    return;
  }
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view field = line.substr(0, colon);
  std::string_view value = line.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "data") {
    data_.append(value).push_back('\n');
    has_data_ = true;
  } else if (field == "event") {
    type_ = value;
  } else if (field == "id" && value.find('\0') == std::string_view::npos) {
    id_ = value;
  }
  // A comment has an empty field name; "retry" and unknown fields mean nothing here.
}

}  // namespace volan::net
