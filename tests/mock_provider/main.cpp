// volan_mock_provider: an upstream model with knobs. README.md lists them.
#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include <CLI/CLI.hpp>

#include "mock.hpp"
#include "net/http_server.hpp"

int main(int argc, char** argv) {
  CLI::App app("An OpenAI-compatible upstream for tests and benchmarks.");
  volan::mock::Knobs knobs;
  volan::net::ServerOptions options;
  options.port = 0;
  double error_rate = 0;
  std::int64_t dimensions = 384;
  std::size_t threads = 0;
  bool is_429 = false, is_slow = false;
  app.add_option("--host", options.host, "address to listen on");
  app.add_option("--port", options.port, "0 = any free one");
  app.add_option("--threads", threads, "io threads; 0 = one per core");
  app.add_option("--ttft-ms", knobs.ttft_ms, "wait before the first byte");
  app.add_option("--gap-ms", knobs.gap_ms, "wait between frames");
  app.add_option("--frames", knobs.frames, "content frames of an answer")->check(CLI::Range(0, 1'000'000));
  app.add_option("--frame-bytes", knobs.frame_bytes, "bytes of content per frame")->check(CLI::Range(1, 1'000'000));
  app.add_option("--error-rate", error_rate, "share of calls that fail with 500")->check(CLI::Range(0.0, 1.0));
  app.add_option("--cut-after-frames", knobs.cut_after_frames, "close the connection after so many frames");
  app.add_option("--dimensions", dimensions, "of embeddings")->check(CLI::Range(1, 65536));
  app.add_flag("--status-429", is_429, "answer every call with 429");
  app.add_flag("--slow-body", is_slow, "send plain answers in small pieces");
  CLI11_PARSE(app, argc, argv);
  if (is_429) knobs.status = 429;
  knobs.slow_body = is_slow;

  // Blocked before any thread starts, so that only sigwait() below takes them.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  volan::core::Pools pools({.io = threads, .compute = 1, .disk = 1});
  const volan::core::Log log(volan::core::LogLevel::error);
  volan::core::Metrics metrics;
  volan::mock::Mock mock(knobs, error_rate, dimensions);
  volan::net::Router router;
  router.add(mock.routes());
  const auto server = volan::net::HttpServer::start(pools, router, {}, options, log, metrics);
  if (!server) {
    fmt::print(stderr, "{}\n", volan::core::to_text(server.error()));
    return 1;
  }
  fmt::print("{}\n", (*server)->url());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  (*server)->stop(std::chrono::seconds(1));
  return 0;
}
