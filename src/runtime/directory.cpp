#include "runtime/directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <mutex>
#include <utility>

#include "core/file.hpp"
#include "runtime/quote.hpp"

namespace volan::runtime {
namespace {

using core::ErrorCode;
using core::fail;
using core::Result;

/// What the directory knows of one endpoint at one moment.
struct Entry {
  std::shared_ptr<const Endpoint> endpoint;  // owners: the snapshots, and whoever calls it just now
  ServerState state = ServerState::ready;
  std::string progress, last_error;
};
using Snapshot = std::map<std::string, Entry, std::less<>>;

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && name.front() != '.' && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  });
}

Result<> check(const std::vector<EndpointSpec>& specs) {
  const auto refuse = [](std::size_t i, std::string_view field, std::string text, std::string fix) {
    return fail(ErrorCode::invalid_argument, std::move(text), fmt::format("endpoints[{}].{}", i, field), std::move(fix));
  };
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const auto& s = specs[i];
    if (!is_name(s.name))
      return refuse(i, "name", fmt::format("{} is no name of an endpoint", in_quotes(s.name)),
                    "use letters, digits, '-', '_' and '.', at most 64");
    const auto same = std::count_if(specs.begin(), specs.end(), [&s](const EndpointSpec& other) { return other.name == s.name; });
    if (same > 1)
      return refuse(i, "name", fmt::format("{} is used by {} endpoints", in_quotes(s.name), same), "give each endpoint a name of its own");
    if (s.file.has_value() == s.url.has_value())
      return refuse(i, "file", "an endpoint needs either a file or a url", "name a GGUF file, or the URL of an OpenAI-compatible server");
    if (s.url && !s.url->starts_with("http://") && !s.url->starts_with("https://"))
      return refuse(i, "url", fmt::format("{} does not start with http:// or https://", in_quotes(*s.url)),
                    "write the whole base URL, for example https://api.example.com/v1");
    if (s.parallel == 0 || s.parallel > 256)
      return refuse(i, "parallel", fmt::format("{} is not from 1 to 256", s.parallel), "4 suits two cores");
    if (s.context_tokens < 64 || s.context_tokens > (1u << 20))
      return refuse(i, "context_tokens", fmt::format("{} is not from 64 to 1048576", s.context_tokens), "2048 suits small models");
    if (s.threads > 1'024) return refuse(i, "threads", fmt::format("{} is more than 1024", s.threads), "0 takes one per core");
  }
  return {};
}

std::string model_of(const EndpointSpec& spec) { return spec.model.value_or(spec.name); }

std::string without_last_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

Entry remote_entry(const EndpointSpec& spec) {
  Endpoint e;
  e.name = spec.name;
  e.kind = spec.kind;
  e.base_url = without_last_slash(*spec.url);
  e.api_key = spec.api_key.value_or("");
  e.model = model_of(spec);
  e.identity = e.model + "@" + e.base_url;
  return {std::make_shared<const Endpoint>(std::move(e)), ServerState::ready, "", ""};
}

Entry managed_entry(const EndpointSpec& spec, const ServerStatus& status) {
  Endpoint e;
  e.name = spec.name;
  e.kind = spec.kind;
  e.base_url = status.base_url;
  e.api_key = status.api_key;
  e.model = model_of(spec);
  e.identity = status.identity;
  e.context_tokens = status.context_tokens;
  e.is_managed = true;
  return {std::make_shared<const Endpoint>(std::move(e)), status.state, status.progress, status.last_error};
}

ManagedServerOptions server_options(const EndpointSpec& spec, const DirectoryOptions& options) {
  ManagedServerOptions out;
  out.name = spec.name;
  out.settings = {.kind = spec.kind,
                  .model_file = *spec.file,
                  .model_name = model_of(spec),
                  .context_tokens = spec.context_tokens,
                  .parallel = spec.parallel,
                  .threads = spec.threads,
                  .cache_mb = spec.cache_mb,
                  .extra_arguments = spec.extra_arguments};
  out.program = options.llama_server;
  out.model_sha256 = spec.sha256.value_or("");
  out.log_folder = options.log_folder;
  out.policy = options.policy;
  return out;
}

template <class Map>
std::string names_of(const Map& map) {
  std::string text;
  for (const auto& [name, value] : map) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

}  // namespace

struct EndpointDirectory::State {
  std::vector<EndpointSpec> specs;
  std::atomic<std::shared_ptr<const Snapshot>> snapshot{std::make_shared<const Snapshot>()};  // owners: this and its readers
  std::mutex writing;                                                          // one writer copies and replaces the snapshot at a time
  std::map<std::string, std::unique_ptr<ManagedServer>, std::less<>> servers;  // last: they publish until they are gone

  void publish(const std::string& name, Entry entry) {
    const std::lock_guard lock(writing);
    auto next = std::make_shared<Snapshot>(*snapshot.load());
    (*next)[name] = std::move(entry);
    snapshot.store(std::move(next));
  }
  Result<ManagedServer*> server(std::string_view name) const {
    const auto known = snapshot.load();
    if (!known->contains(name))
      return fail(ErrorCode::not_found, fmt::format("there is no endpoint {}; there are: {}", in_quotes(name), names_of(*known)));
    const auto found = servers.find(name);
    if (found == servers.end())
      return fail(ErrorCode::invalid_argument, fmt::format("endpoint {} is a remote server that volan does not run", name));
    return found->second.get();
  }
};

EndpointDirectory::EndpointDirectory(std::unique_ptr<State> state) : state_(std::move(state)) {}

EndpointDirectory::~EndpointDirectory() {
  for (const auto& [name, server] : state_->servers) server->stop();  // all of them begin to end before the first is waited for
}

Result<std::unique_ptr<EndpointDirectory>> EndpointDirectory::open(std::vector<EndpointSpec> specs, DirectoryOptions options,
                                                                   RuntimeContext context) {
  VOLAN_TRY_VOID(check(specs));
  if (!options.log_folder.empty()) VOLAN_TRY_VOID(core::create_folders(options.log_folder, 0700));
  auto state = std::make_unique<State>();
  state->specs = std::move(specs);
  for (const auto& spec : state->specs) {
    if (!spec.file) {
      state->publish(spec.name, remote_entry(spec));
      continue;
    }
    state->publish(spec.name, managed_entry(spec, {.state = ServerState::starting, .progress = "starting the process"}));
    auto server = server_options(spec, options);
    server.on_change = [s = state.get(), &spec](const ServerStatus& status) { s->publish(spec.name, managed_entry(spec, status)); };
    state->servers.emplace(spec.name, std::make_unique<ManagedServer>(std::move(server), context));
  }
  return std::unique_ptr<EndpointDirectory>(new EndpointDirectory(std::move(state)));
}

Result<std::shared_ptr<const Endpoint>> EndpointDirectory::find_ready(std::string_view name) const {
  const auto known = state_->snapshot.load();
  const auto found = known->find(name);
  if (found == known->end())
    return fail(ErrorCode::not_found, fmt::format("there is no endpoint {}; there are: {}", in_quotes(name), names_of(*known)));
  const auto& [endpoint, state, progress, last_error] = found->second;
  if (state == ServerState::ready || state == ServerState::unhealthy) return endpoint;
  const bool is_coming = state == ServerState::starting || state == ServerState::backing_off;
  std::string text = fmt::format("endpoint {} is not ready ({}{}{})", name, core::text_of(state), progress.empty() ? "" : ": ", progress);
  if (!last_error.empty()) text += "; " + last_error;
  return fail(ErrorCode::unavailable, std::move(text), "",
              is_coming ? "try again in a moment" : fmt::format("repair the cause, then: POST /api/v1/endpoints/{}/restart", name));
}

std::map<std::string, EndpointKind> EndpointDirectory::names() const {
  std::map<std::string, EndpointKind> out;
  for (const auto& [name, entry] : *state_->snapshot.load()) out.emplace(name, entry.endpoint->kind);
  return out;
}

std::vector<EndpointView> EndpointDirectory::list() const {
  std::vector<EndpointView> out;
  const auto known = state_->snapshot.load();
  for (const auto& [name, entry] : *known) {
    EndpointView view;
    view.name = name;
    view.kind = entry.endpoint->kind;
    view.base_url = entry.endpoint->base_url;
    view.model = entry.endpoint->model;
    view.state = entry.state;
    view.managed = entry.endpoint->is_managed;
    if (!entry.endpoint->identity.empty()) view.identity = entry.endpoint->identity;
    if (const auto server = state_->servers.find(name); server != state_->servers.end()) {
      const auto status = server->second->status();
      view.state = status.state;
      if (!status.progress.empty()) view.progress = status.progress;
      if (status.pid != 0) view.pid = status.pid;
      if (status.pid != 0) view.resident_memory_bytes = server->second->resident_bytes();
      if (!status.last_error.empty()) view.last_error = status.last_error;
      view.started = status.started;
      view.restarts = status.restarts;
      view.last_check = status.last_check;
      view.context_tokens = status.context_tokens;
    }
    out.push_back(std::move(view));
  }
  return out;
}

Result<std::vector<std::string>> EndpointDirectory::log_lines(std::string_view name) const {
  VOLAN_TRY(auto* const server, state_->server(name));
  return server->log_lines();
}

Result<> EndpointDirectory::restart(std::string_view name) {
  VOLAN_TRY(auto* const server, state_->server(name));
  server->restart();
  return {};
}

Result<> EndpointDirectory::wait_ready(std::string_view name, std::chrono::milliseconds timeout) const {
  if (const auto ready = find_ready(name); ready || ready.error().code == ErrorCode::not_found)
    return ready ? Result<>{} : Result<>(fail(ready.error()));
  VOLAN_TRY(auto* const server, state_->server(name));
  return server->wait_ready(timeout);
}

}  // namespace volan::runtime
