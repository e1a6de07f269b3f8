#include "net/http.hpp"

#include <boost/beast/core/string.hpp>

namespace volan::net {

std::string_view name_of(Verb verb) {
  switch (verb) {
    case Verb::get: return "GET";
    case Verb::head: return "HEAD";
    case Verb::post: return "POST";
    case Verb::put: return "PUT";
    case Verb::patch: return "PATCH";
    case Verb::del: return "DELETE";
    case Verb::options: return "OPTIONS";
  }
  return "GET";
}

void Headers::set(std::string_view name, std::string_view value) {
  std::erase_if(entries_, [&](const Entry& entry) { return boost::beast::iequals(field(entry).first, name); });
  add(name, value);
}

void Headers::add(std::string_view name, std::string_view value) {
  const Entry entry{static_cast<std::uint32_t>(bytes_.size()), static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(value.size())};
  // Either view may lie in our own buffer (`h.set("a", h.get("b"))`), which the growth below would move.
  if (bytes_.capacity() - bytes_.size() < name.size() + value.size()) {
    std::string grown;
    grown.reserve(std::max(2 * bytes_.capacity(), bytes_.size() + name.size() + value.size()));
    grown.append(bytes_).append(name).append(value);
    bytes_.swap(grown);
  } else {
    bytes_.append(name).append(value);
  }
  entries_.push_back(entry);
}

std::string_view Headers::get(std::string_view name) const {
  for (const Entry& entry : entries_)
    if (entry.name_bytes == name.size() && boost::beast::iequals(field(entry).first, name)) return field(entry).second;
  return {};
}

bool Headers::has(std::string_view name) const {
  for (const Entry& entry : entries_)
    if (entry.name_bytes == name.size() && boost::beast::iequals(field(entry).first, name)) return true;
  return false;
}

void Headers::clear() {
  bytes_.clear();
  entries_.clear();
}

std::optional<std::string_view> Request::query_value(std::string_view name) const {
  for (auto it = query.rbegin(); it != query.rend(); ++it)
    if (it->first == name) return it->second;
  return std::nullopt;
}

std::string_view Request::param(std::string_view name) const {
  const auto it = params.find(name);
  return it == params.end() ? std::string_view{} : std::string_view(it->second);
}

Response Response::json(std::string body, unsigned status) {
  Response response;
  response.status = status;
  response.headers.add("content-type", "application/json");
  response.body = std::move(body);
  return response;
}

Response Response::text(std::string body, unsigned status) {
  Response response;
  response.status = status;
  response.headers.add("content-type", "text/plain; charset=utf-8");
  response.body = std::move(body);
  return response;
}

Response Response::events(BodyProducer producer) {
  Response response;
  response.headers.add("content-type", "text/event-stream; charset=utf-8");
  response.headers.add("cache-control", "no-cache");
  response.stream = std::move(producer);
  return response;
}

}  // namespace volan::net
