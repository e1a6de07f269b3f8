/// OpenAPI 3.1 from the one route table and the field lists.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "core/json.hpp"
#include "net/http.hpp"

namespace volan::net {

/// Collects the schemas of one operation. Example, in a route's doc: `[](OpenApiOperation& op) { op.body<Ask>().answer<Answer>(200); }`
class OpenApiOperation {
 public:
  OpenApiOperation(boost::json::object& operation, boost::json::object& components) : operation_(operation), components_(components) {}
  template <class T>
  OpenApiOperation& body() { set_body(core::json_schema<T>(components_)); return *this; }
  template <class T>
  OpenApiOperation& answer(unsigned status, std::string_view what = "success") { set_answer(status, what, core::json_schema<T>(components_)); return *this; }
  OpenApiOperation& answer_empty(unsigned status, std::string_view what);
  OpenApiOperation& answer_events(std::string_view what);
  /// A query parameter; `schema` is "string", "integer", "boolean" or "number".
  OpenApiOperation& query(std::string_view name, std::string_view schema, std::string_view doc);

 private:
  void set_body(boost::json::value schema);
  void set_answer(unsigned status, std::string_view what, boost::json::value schema);
  boost::json::object& operation_;
  boost::json::object& components_;
};

/// The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0) of all routes with a summary: paths sorted, security (bearer key or cookie), x-volan-access, the error schema.
/// Deterministic, so that it can be compared with a golden file.
std::string openapi_json(const Router& router, std::string_view version);

}  // namespace volan::net
