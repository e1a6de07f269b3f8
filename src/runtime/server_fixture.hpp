/// The parts of the program that a model server needs, for tests.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <string>

#include "core/file.hpp"
#include "core/json.hpp"
#include "runtime/model_server.hpp"
#include "runtime/testdata_models.hpp"

namespace volan::runtime {

inline constexpr std::chrono::seconds start_patience{120};  // a start takes 0.5 s; a machine that builds meanwhile needs more

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() : folder(core::TempFolder::create()) {}
  RuntimeContext context() { return {pools, client, clock, log, metrics}; }

  /// A chat server of the demo's model, small and with short waits.
  ManagedServerOptions chat_options(const std::string& name = "chat") {
    ManagedServerOptions options;
    options.name = name;
    options.settings = {.kind = EndpointKind::chat,
                        .model_file = demo_chat_model(),
                        .model_name = "smol",
                        .context_tokens = 512,
                        .parallel = 2,
                        .threads = 1};
    options.log_folder = folder->path();
    options.policy.backoff_first = std::chrono::milliseconds(1);
    return options;
  }

  static core::Task<net::ClientResponse> send(net::HttpClient* client, net::ClientRequest request) {
    co_return co_await client->send(std::move(request));
  }
  /// POSTs JSON and waits for the answer.
  core::Result<net::ClientResponse> post(const std::string& url, const std::string& key, const std::string& body) {
    net::ClientRequest request;
    request.verb = net::Verb::post;
    request.url = url;
    request.body = body;
    request.headers.set("content-type", "application/json");
    if (!key.empty()) request.headers.set("authorization", "Bearer " + key);
    return boost::asio::co_spawn(pools.io(0), send(&client, std::move(request)), boost::asio::use_future).get();
  }

  core::Result<core::TempFolder> folder;
  core::Pools pools{{.io = 1, .compute = 1, .disk = 1}};
  net::HttpClient client{pools};
  core::SystemClock clock;
  core::Log log{core::LogLevel::off};
  core::Metrics metrics;
};

}  // namespace volan::runtime
