#include "auth/routes.hpp"

#include "core/json.hpp"
#include "net/openapi.hpp"

namespace volan::auth {
namespace {

using core::Task;
using net::Access;
using net::OpenApiOperation;
using net::Request;
using net::Response;
using net::Verb;

Task<Response> post_session(Auth& auth, Request& request) {
  VOLAN_CO_TRY(auto wanted, core::decode_json<SignIn>(request.body));
  VOLAN_CO_TRY(auto opened, co_await auth.sign_in(std::move(wanted), request.client_address));
  Response response = Response::json(core::encode_json(opened.viewer), 201);
  response.headers.set("set-cookie", opened.cookie);
  response.headers.set("cache-control", "no-store");
  co_return response;
}

Task<Response> get_session(Auth& auth, Request& request) {
  VOLAN_CO_TRY(auto viewer, auth.viewer(request.principal));
  Response response = Response::json(core::encode_json(viewer));
  response.headers.set("cache-control", "no-store");
  co_return response;
}

Task<Response> delete_session(Auth& auth, Request& request) {
  std::string cookies(request.principal.is_session ? request.headers.get("cookie") : std::string_view());
  VOLAN_CO_TRY(auto cleared, co_await auth.sign_out(std::move(cookies)));
  Response response;
  response.status = 204;
  response.headers.set("set-cookie", cleared);
  co_return response;
}

Task<Response> get_keys(Auth& auth, Request& request) {
  VOLAN_CO_TRY(auto list, co_await auth.keys(request.principal.project));
  co_return Response::json(core::encode_json(list));
}

Task<Response> post_keys(Auth& auth, Request& request) {
  VOLAN_CO_TRY(auto wanted, core::decode_json<NewKey>(request.body));
  VOLAN_CO_TRY(auto created, co_await auth.create_key(request.principal.project, std::move(wanted)));
  Response response = Response::json(core::encode_json(created), 201);
  response.headers.set("cache-control", "no-store");
  co_return response;
}

Task<Response> delete_key(Auth& auth, Request& request) {
  std::string id(request.param("id"));
  VOLAN_CO_TRY_VOID(co_await auth.revoke_key(request.principal.project, std::move(id)));
  Response response;
  response.status = 204;
  co_return response;
}

Task<Response> get_projects(Auth& auth, Request& request) {
  VOLAN_CO_TRY(auto list, co_await auth.projects(request.principal));
  co_return Response::json(core::encode_json(list));
}

Task<Response> post_projects(Auth& auth, Request& request) {
  VOLAN_CO_TRY(auto wanted, core::decode_json<NewProject>(request.body));
  VOLAN_CO_TRY(auto created, co_await auth.create_project(request.principal, std::move(wanted)));
  Response response = Response::json(core::encode_json(created), 201);
  response.headers.set("cache-control", "no-store");
  co_return response;
}

/// A handler that passes `auth` to a coroutine with parameters; the lambda itself is no coroutine.
net::Handler with(Auth& auth, Task<Response> (*handle)(Auth&, Request&)) {
  return [&auth, handle](Request& request) { return handle(auth, request); };
}

}  // namespace

std::vector<net::Route> routes(Auth& auth) {
  std::vector<net::Route> table;
  table.push_back({Verb::post,
                   "/api/v1/session",
                   Access::anyone,
                   with(auth, post_session),
                   {"Signs a browser in with a key or a one-time link; sets the session cookie.", "auth",
                    [](OpenApiOperation& op) { op.body<SignIn>().answer<Viewer>(201, "signed in; the cookie is set"); }}});
  table.push_back(
      {Verb::get, "/api/v1/session", Access::viewer, with(auth, get_session), {"Who the caller is.", "auth", [](OpenApiOperation& op) {
                                                                                 op.answer<Viewer>(200);
                                                                               }}});
  table.push_back(
      {Verb::del,
       "/api/v1/session",
       Access::viewer,
       with(auth, delete_session),
       {"Signs the browser out.", "auth", [](OpenApiOperation& op) { op.answer_empty(204, "signed out; the cookie is cleared"); }}});
  table.push_back(
      {Verb::get,
       "/api/v1/keys",
       Access::admin,
       with(auth, get_keys),
       {"The keys of the project, newest first, revoked ones included.", "auth", [](OpenApiOperation& op) { op.answer<KeyList>(200); }}});
  table.push_back({Verb::post,
                   "/api/v1/keys",
                   Access::admin,
                   with(auth, post_keys),
                   {"Makes a key; the answer is the only place that shows it.", "auth",
                    [](OpenApiOperation& op) { op.body<NewKey>().answer<CreatedKey>(201); }}});
  table.push_back({Verb::del,
                   "/api/v1/keys/{id}",
                   Access::admin,
                   with(auth, delete_key),
                   {"Revokes a key and ends its sessions. The last admin key without an expiry cannot be revoked.", "auth",
                    [](OpenApiOperation& op) { op.answer_empty(204, "revoked"); }}});
  table.push_back({Verb::get,
                   "/api/v1/projects",
                   Access::viewer,
                   with(auth, get_projects),
                   {"The caller's project; all projects for an admin of `default`.", "auth",
                    [](OpenApiOperation& op) { op.answer<ProjectList>(200); }}});
  table.push_back({Verb::post,
                   "/api/v1/projects",
                   Access::admin,
                   with(auth, post_projects),
                   {"Makes a project with its first admin key. Only for admins of `default`.", "auth",
                    [](OpenApiOperation& op) { op.body<NewProject>().answer<CreatedProject>(201); }}});
  return table;
}

}  // namespace volan::auth
