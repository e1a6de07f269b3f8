#include "app/web.hpp"

#include <span>

#include "core/embedded_file.hpp"

namespace volan::app {

std::span<const core::EmbeddedFile> web_files();

namespace {

constexpr std::string_view content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";

std::string_view type_of(std::string_view name) {
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  if (name.ends_with(".png")) return "image/png";
  if (name.ends_with(".woff2")) return "font/woff2";
  if (name.ends_with(".json") || name.ends_with(".webmanifest")) return "application/json";
  return "text/plain; charset=utf-8";
}

const core::EmbeddedFile* find(std::string_view name) {
  for (const auto& file : web_files())
    if (file.name == name) return &file;
  return nullptr;
}

core::Task<net::Response> get_page(net::Request& request) {
  std::string name(request.param("path"));
  const core::EmbeddedFile* file = name.empty() ? nullptr : find(name);
  if (file == nullptr && (name.starts_with("assets/") || name.starts_with("api/") || name.starts_with("v1/")))
    co_return core::fail(core::ErrorCode::not_found, "there is nothing at this address");
  if (file == nullptr) {
    name = "index.html";
    file = find(name);
    if (file == nullptr) file = find(name = "no_pages.html");
  }
  net::Response response;
  response.headers.set("content-type", type_of(name));
  response.headers.set("cache-control", name.starts_with("assets/") ? "public, max-age=31536000, immutable" : "no-cache");
  response.headers.set("content-security-policy", content_security_policy);
  response.headers.set("x-content-type-options", "nosniff");
  response.headers.set("referrer-policy", "no-referrer");
  if (request.headers.get("accept-encoding").find("gzip") != std::string_view::npos)
    if (const auto* packed = find(name + ".gz")) {
      response.headers.set("content-encoding", "gzip");
      response.headers.set("vary", "accept-encoding");
      file = packed;
    }
  response.body = file->bytes;
  co_return std::move(response);
}

}  // namespace

std::vector<net::Route> web_routes() {
  std::vector<net::Route> out;
  out.push_back({.verb = net::Verb::get, .path = "/", .access = net::Access::anyone, .handler = get_page, .doc = {}});
  out.push_back({.verb = net::Verb::get, .path = "/{path...}", .access = net::Access::anyone, .handler = get_page, .doc = {}});
  return out;
}

}  // namespace volan::app
