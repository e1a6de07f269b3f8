#include "net/openapi.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <set>

namespace volan::net {
namespace {

namespace json = boost::json;

std::string_view access_name(Access access) {
  switch (access) {
    case Access::anyone: return "anyone";
    case Access::viewer: return "viewer";
    case Access::member: return "member";
    case Access::admin: return "admin";
  }
  return "admin";
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

json::object content(std::string_view type, json::value schema) {
  return {{type, json::object{{"schema", std::move(schema)}}}};
}

/// OpenAPI has no parameter that takes several segments: "{id...}" is written "{id}" and described in words.
struct DocPath {
  std::string path;
  json::array parameters;
};
DocPath doc_path(std::string_view pattern) {
  DocPath doc;
  while (!pattern.empty()) {
    const std::size_t open = std::min(pattern.find('{'), pattern.size());
    doc.path.append(pattern.substr(0, open));
    pattern.remove_prefix(open);
    if (pattern.empty()) break;
    const std::size_t close = pattern.find('}');
    std::string_view name = pattern.substr(1, close - 1);
    const bool is_rest = name.ends_with("...");
    if (is_rest) name.remove_suffix(3);
    json::object parameter{{"name", name}, {"in", "path"}, {"required", true}, {"schema", json::object{{"type", "string"}}}};
    if (is_rest) parameter["description"] = "The rest of the path; may contain slashes.";
    doc.parameters.push_back(std::move(parameter));
    doc.path.append("{").append(name).append("}");
    pattern.remove_prefix(close + 1);
  }
  return doc;
}

/// "get /api/v1/traces/{id}" becomes "get_api_v1_traces_id": stable as long as the route is.
std::string operation_id(std::string_view verb, std::string_view path) {
  std::string id(verb);
  bool is_gap = true;
  for (const char c : path) {
    const bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_word && is_gap) id.push_back('_');
    if (is_word) id.push_back(c);
    is_gap = !is_word;
  }
  return id;
}

json::object error_schema() {
  const auto text = [](std::string_view what) { return json::object{{"type", "string"}, {"description", what}}; };
  json::object detail{{"type", "object"},
                      {"required", json::array{"code", "message", "request_id"}},
                      {"properties", json::object{{"code", text("Stable name of the kind of error, for example not_found.")},
                                                  {"message", text("What was wrong with which value.")},
                                                  {"path", text("The field that was wrong, for example messages[2].content.")},
                                                  {"fix", text("What to do about it.")},
                                                  {"request_id", text("The id under which the server's log has this request.")}}}};
  return {{"type", "object"}, {"required", json::array{"error"}}, {"properties", json::object{{"error", std::move(detail)}}}};
}

json::object operation_of(const Route& route, const DocPath& doc, json::object& schemas) {
  json::object operation;
  operation["operationId"] = operation_id(lower(name_of(route.verb)), doc.path);
  operation["summary"] = route.doc.summary;
  if (!route.doc.tag.empty()) operation["tags"] = json::array{json::string(route.doc.tag)};
  operation["x-volan-access"] = access_name(route.access);
  operation["security"] = route.access == Access::anyone ? json::array{} : json::array{json::object{{"key", json::array{}}}, json::object{{"session", json::array{}}}};
  if (!doc.parameters.empty()) operation["parameters"] = doc.parameters;
  operation["responses"] = json::object{};
  if (route.doc.describe) {
    OpenApiOperation description(operation, schemas);
    route.doc.describe(description);
  }
  auto& responses = operation["responses"].as_object();
  const bool has_success = std::any_of(responses.begin(), responses.end(), [](const auto& answer) { return answer.key().starts_with('2') || answer.key().starts_with('3'); });
  if (!has_success) responses["200"] = json::object{{"description", "success"}};
  if (route.error_writer == native_error)
    responses["default"] = json::object{{"description", "an error"}, {"content", content("application/json", json::object{{"$ref", "#/components/schemas/Error"}})}};
  return operation;
}

/// Schemas come in the order in which routes ask for them; sorted, the document does not depend on it.
json::object sorted(const json::object& object) {
  std::map<std::string_view, const json::value*> names;
  for (const auto& member : object) names.emplace(std::string_view(member.key()), &member.value());
  json::object out;
  for (const auto& [name, value] : names) out[name] = *value;
  return out;
}

}  // namespace

OpenApiOperation& OpenApiOperation::answer_empty(unsigned status, std::string_view what) {
  operation_["responses"].as_object()[std::to_string(status)] = json::object{{"description", what}};
  return *this;
}

OpenApiOperation& OpenApiOperation::answer_events(std::string_view what) {
  operation_["responses"].as_object()["200"] =
      json::object{{"description", what}, {"content", content("text/event-stream", json::object{{"type", "string"}})}};
  return *this;
}

OpenApiOperation& OpenApiOperation::query(std::string_view name, std::string_view schema, std::string_view doc) {
  if (!operation_.contains("parameters")) operation_["parameters"] = json::array{};
  operation_["parameters"].as_array().push_back(
      json::object{{"name", name}, {"in", "query"}, {"description", doc}, {"schema", json::object{{"type", schema}}}});
  return *this;
}

void OpenApiOperation::set_body(json::value schema) {
  operation_["requestBody"] = json::object{{"required", true}, {"content", content("application/json", std::move(schema))}};
}

void OpenApiOperation::set_answer(unsigned status, std::string_view what, json::value schema) {
  operation_["responses"].as_object()[std::to_string(status)] =
      json::object{{"description", what}, {"content", content("application/json", std::move(schema))}};
}

std::string openapi_json(const Router& router, std::string_view version) {
  json::object schemas;
  std::map<std::string, std::map<Verb, json::object>> by_path;
  std::set<std::string> tags;
  for (const Route& route : router.routes()) {
    if (route.doc.summary.empty()) continue;
    const DocPath doc = doc_path(route.path);
    by_path[doc.path].emplace(route.verb, operation_of(route, doc, schemas));
    if (!route.doc.tag.empty()) tags.insert(route.doc.tag);
  }
  schemas["Error"] = error_schema();

  json::object paths;
  for (auto& [path, operations] : by_path) {
    json::object item;
    for (auto& [verb, operation] : operations) item[lower(name_of(verb))] = std::move(operation);
    paths[path] = std::move(item);
  }
  json::array tag_list;
  for (const auto& tag : tags) tag_list.push_back(json::object{{"name", tag}});
  const json::object security{{"key", json::object{{"type", "http"}, {"scheme", "bearer"}}},
                              {"session", json::object{{"type", "apiKey"}, {"in", "cookie"}, {"name", "volan_session"}}}};
  json::object document;
  document["openapi"] = "3.1.0";
  document["info"] = json::object{{"title", "volan"}, {"version", version}};
  document["tags"] = std::move(tag_list);
  document["paths"] = std::move(paths);
  document["components"] = json::object{{"schemas", sorted(schemas)}, {"securitySchemes", security}};
  return json::serialize(document);
}

}  // namespace volan::net
