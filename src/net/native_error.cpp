// How an Error of ours looks over HTTP.
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "net/http.hpp"

namespace volan::net {

unsigned status_of(core::ErrorCode code) {
  switch (code) {
    case core::ErrorCode::invalid_argument: return 400;
    case core::ErrorCode::unauthenticated: return 401;
    case core::ErrorCode::permission_denied: return 403;
    case core::ErrorCode::not_found: return 404;
    case core::ErrorCode::conflict: return 409;
    case core::ErrorCode::too_large: return 413;
    case core::ErrorCode::resource_exhausted: return 429;
    case core::ErrorCode::cancelled: return 499;
    case core::ErrorCode::deadline_exceeded: return 504;
    case core::ErrorCode::unavailable: return 503;
    case core::ErrorCode::upstream: return 502;
    case core::ErrorCode::data_loss: return 500;
    case core::ErrorCode::internal: return 500;
  }
  return 500;
}

Response native_error(const core::Error& error, const Request& request) {
  const unsigned status = status_of(error.code);
  boost::json::object detail;
  detail["code"] = core::name_of(error.code);
  if (status == 500) {
    // What went wrong inside is in the log under the same request id, not in the answer.
    detail["message"] = "the server failed to answer; its log has the reason under this request id";
  } else {
    detail["message"] = error.message;
    if (!error.path.empty()) detail["path"] = error.path;
    if (!error.fix.empty()) detail["fix"] = error.fix;
  }
  detail["request_id"] = request.id;
  boost::json::object body;
  body["error"] = std::move(detail);
  Response response = Response::json(boost::json::serialize(body), status);
  if (status == 401) response.headers.add("www-authenticate", "Bearer");
  if (status == 429 || status == 503) response.headers.add("retry-after", "1");
  return response;
}

}  // namespace volan::net
