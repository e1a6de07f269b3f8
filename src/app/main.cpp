// The volan program: server and command line.
#include <CLI/CLI.hpp>

#include <pthread.h>
#include <signal.h>

#include <cstdio>
#include <filesystem>
#include <functional>

#include "app/client.hpp"
#include "app/demo.hpp"
#include "app/overview.hpp"
#include "app/wiring.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "net/openapi.hpp"
#include "runtime/doctor.hpp"
#include "runtime/gguf.hpp"
#include "runtime/model_import.hpp"

namespace {

using namespace volan;

int report(const core::Error& error) {
  std::fprintf(stderr, "volan: %s\n", core::to_text(error).c_str());
  return 1;
}

struct Options {
  std::string project = ".";
  std::string data;
  std::string listen;
  bool print_url = false;
  bool once = false;
  bool is_json = false;
  std::string app = "twin";
  std::string question;
  std::string folder;
  std::string out;

  std::string data_folder() const { return data.empty() ? project + "/.volan" : data; }
};

/// Starts the server, runs `after`, then serves until SIGINT or SIGTERM.
int serve(const Options& options, const std::function<core::Result<>(app::Server&)>& after, bool is_once) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread exists, so that only sigwait sees them
  ::signal(SIGPIPE, SIG_IGN);
  auto server = app::Server::start({.project_folder = options.project, .data_folder = options.data_folder(), .listen = options.listen,
                                    .log_level = core::LogLevel::warn});
  if (!server) return report(server.error());
  if (options.print_url) {
    std::printf("%s\n", (*server)->url().c_str());
    std::fflush(stdout);
  }
  if (after) {
    auto done = after(**server);
    if (!done) return report(done.error());
  }
  if (is_once) return 0;
  auto sign_in = (*server)->sign_in_url();
  if (!sign_in) return report(sign_in.error());
  std::fprintf(stderr, "volan serves at %s\nsign in (once, within 15 minutes): %s\n", (*server)->url().c_str(), sign_in->c_str());
  int signal = 0;
  sigwait(&signals, &signal);
  std::fprintf(stderr, "stopping\n");
  return 0;
}

int print_openapi() {
  auto folder = core::TempFolder::create();
  if (!folder) return report(folder.error());
  const std::string path = folder->path();
  if (auto written = core::write_file_durably(path + "/volan.yaml", "name: openapi\n"); !written) return report(written.error());
  auto server = app::Server::start({.project_folder = path, .data_folder = path + "/data", .listen = "127.0.0.1:0", .log_level = core::LogLevel::error});
  if (!server) return report(server.error());
  std::printf("%s\n", net::openapi_json((*server)->router(), app::version).c_str());
  return 0;
}

int ask(const Options& options) {
  auto address = app::server_address();
  if (!address) return report(address.error());
  core::Pools pools({.io = 1, .compute = 1, .disk = 1});
  auto answer = app::ask(pools, *address, options.app, options.question);
  if (!answer) return report(answer.error());
  if (options.is_json) {
    std::printf("%s\n", core::encode_json(*answer).c_str());
    return 0;
  }
  std::printf("%s\n\n", answer->answer.c_str());
  for (const auto& source : answer->sources)
    std::printf("[%lld] %s, %s\n    %s\n", static_cast<long long>(source.number), source.title.c_str(), source.heading.c_str(), source.url.c_str());
  std::printf("\ntrace %s/traces/%s\n", address->url.c_str(), answer->trace_id.c_str());
  return 0;
}

int doctor(const Options& options) {
  auto project = app::read_project(options.project, options.data_folder());
  if (!project) return report(project.error());
  bool is_good = true;
  const auto findings = runtime::doctor(project->endpoints);
  if (options.is_json) std::printf("%s\n", core::encode_json(findings).c_str());
  for (const auto& finding : findings) {
    is_good = is_good && finding.level != runtime::FindingLevel::error;
    if (options.is_json) continue;
    std::printf("%-8s %-20s %s\n", std::string(core::text_of(finding.level)).c_str(), finding.what.c_str(), finding.text.c_str());
    if (!finding.fix.empty()) std::printf("%-29s %s\n", "", finding.fix.c_str());
  }
  return is_good ? 0 : 1;
}

int import_model(const Options& options) {
  auto done = runtime::import_minilm({.folder = options.folder, .out = options.out});
  if (!done) return report(done.error());
  std::printf("%s: %llu bytes, %llu tensors, sha256 %s\n", done->out.c_str(), static_cast<unsigned long long>(done->bytes),
              static_cast<unsigned long long>(done->tensors), done->sha256.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App program{"volan: the whole loop of a language-model application in one program"};
  program.set_version_flag("--version", std::string(app::version));
  program.require_subcommand(1);
  Options options;
  const auto with_project = [&options](CLI::App* command) {
    command->add_option("--project", options.project, "folder with volan.yaml")->capture_default_str();
    command->add_option("--data", options.data, "data folder (PROJECT/.volan when absent)");
    return command;
  };
  auto* up = with_project(program.add_subcommand("up", "serve"));
  up->add_option("--listen", options.listen, "host:port; port 0 takes a free one");
  up->add_flag("--print-url", options.print_url, "print the URL as the first line of standard output");
  auto* demo = with_project(program.add_subcommand("demo", "index, measure, answer, report, then serve"));
  demo->add_option("--listen", options.listen, "host:port");
  demo->add_flag("--once", options.once, "stop after the report");
  auto* asked = program.add_subcommand("ask", "ask a running server (VOLAN_URL, VOLAN_API_KEY)");
  asked->add_option("question", options.question, "what to ask")->required();
  asked->add_option("--app", options.app, "app to ask")->capture_default_str();
  asked->add_flag("--json", options.is_json, "print JSON");
  auto* examined = with_project(program.add_subcommand("doctor", "look for what is missing or broken"));
  examined->add_flag("--json", options.is_json, "print JSON");
  auto* openapi = program.add_subcommand("openapi", "print the API description (OpenAPI 3.1)");
  auto* model = program.add_subcommand("model", "models");
  model->require_subcommand(1);
  auto* imported = model->add_subcommand("import", "turn a MiniLM safetensors folder into GGUF");
  imported->add_option("folder", options.folder, "folder with model.safetensors")->required();
  imported->add_option("--out", options.out, "GGUF file to write")->required();
  CLI11_PARSE(program, argc, argv);

  if (*up) return serve(options, {}, false);
  if (*demo) {
    const auto run = [&options](app::Server& server) { return app::run_demo(server, options.data_folder()); };
    return serve(options, run, options.once);
  }
  if (*asked) return ask(options);
  if (*examined) return doctor(options);
  if (*openapi) return print_openapi();
  if (*imported) return import_model(options);
  return 2;
}
