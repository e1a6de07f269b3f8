#include "runtime/routes.hpp"

#include <utility>

#include "core/json.hpp"
#include "net/openapi.hpp"

namespace volan::runtime {
namespace {

using core::Task;
using net::Access;
using net::OpenApiOperation;
using net::Request;
using net::Response;
using net::Verb;

struct Parts {
  EndpointDirectory& directory;
  core::Pools& pools;
};

Task<Response> get_endpoints(Parts parts, Request&) {
  auto list = [&directory = parts.directory]() -> core::Result<EndpointList> { return EndpointList{directory.list()}; };
  VOLAN_CO_TRY(const auto endpoints, co_await parts.pools.on_disk(std::move(list)));  // it reads /proc
  co_return Response::json(core::encode_json(endpoints));
}

Task<Response> get_logs(Parts parts, Request& request) {
  VOLAN_CO_TRY(auto lines, parts.directory.log_lines(request.param("name")));
  const EndpointLog log{std::move(lines)};
  co_return Response::json(core::encode_json(log));
}

Task<Response> post_restart(Parts parts, Request& request) {
  VOLAN_CO_TRY_VOID(parts.directory.restart(request.param("name")));
  Response response;
  response.status = 202;
  co_return response;
}

/// A handler that passes `parts` to a coroutine with parameters; the lambda itself is no coroutine.
net::Handler with(Parts parts, Task<Response> (*handle)(Parts, Request&)) {
  return [parts, handle](Request& request) { return handle(parts, request); };
}

}  // namespace

std::vector<net::Route> routes(EndpointDirectory& directory, core::Pools& pools) {
  const Parts parts{directory, pools};
  return {
      {Verb::get,
       "/api/v1/endpoints",
       Access::viewer,
       with(parts, get_endpoints),
       {"Lists the places that answer, with the state of the model servers that volan runs.", "endpoints",
        [](OpenApiOperation& op) { op.answer<EndpointList>(200); }}},
      {Verb::get,
       "/api/v1/endpoints/{name}/logs",
       Access::admin,
       with(parts, get_logs),
       {"The last lines that a model server printed.", "endpoints", [](OpenApiOperation& op) { op.answer<EndpointLog>(200); }}},
      {Verb::post,
       "/api/v1/endpoints/{name}/restart",
       Access::admin,
       with(parts, post_restart),
       {"Ends a model server and starts it anew; the answer does not wait for it.", "endpoints",
        [](OpenApiOperation& op) { op.answer_empty(202, "it is being restarted"); }}},
  };
}

}  // namespace volan::runtime
