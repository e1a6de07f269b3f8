#include "app/demo.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "app/blocking.hpp"
#include "app/client.hpp"
#include "core/file.hpp"
#include "feature/feature_store.hpp"
#include "feature/quality.hpp"
#include "rag/retriever.hpp"
#include "runtime/directory.hpp"

namespace volan::app {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

core::Task<std::vector<feature::Hit>> search(Server& server, rag::RetrievalSettings settings, std::string question, std::size_t limit) {
  settings.k = static_cast<std::int64_t>(limit);
  settings.self_query = rag::SelfQuery::off;
  feature::Filter filter;
  co_return co_await server.retriever().search(std::string(default_project), std::move(question), std::move(settings), std::move(filter));
}

core::Result<feature::RetrievalQuality> measure(Server& server, const std::string& name, const std::vector<feature::RetrievalQuestion>& questions, bool dense,
                                                bool lexical) {
  rag::RetrievalSettings settings;
  settings.dense = dense;
  settings.lexical = lexical;
  feature::SearchFunction one = [&server, settings](std::string question, std::size_t limit) { return search(server, settings, std::move(question), limit); };
  return run_blocking(server.pools(), feature::measure_retrieval(name, questions, std::move(one)));
}

void say(const std::string& line) {
  std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace

core::Result<> run_demo(Server& server, const std::string& data_folder) {
  const auto start = std::chrono::steady_clock::now();
  say("waiting for the model servers");
  for (const auto& endpoint : server.project().endpoints) {
    VOLAN_TRY_VOID(server.endpoints().wait_ready(endpoint.name, std::chrono::minutes(5)));
    say(fmt::format("  {} is ready after {:.1f} s", endpoint.name, seconds_since(start)));
  }

  const bool is_terminal = isatty(STDERR_FILENO) != 0;
  std::string last_stage;
  auto progress = [&last_stage, is_terminal, start](const feature::BuildProgress& now) {
    const std::string stage(core::text_of(now.stage));
    if (stage == last_stage && !is_terminal) return;
    const std::string line = fmt::format("  {:<8} {}/{}  {:.0f} s", stage, now.done, now.total, seconds_since(start));
    if (is_terminal) std::fprintf(stderr, "%s%s", stage == last_stage ? "\r" : (last_stage.empty() ? "" : "\n"), line.c_str());
    else std::fprintf(stderr, "%s\n", line.c_str());
    last_stage = stage;
  };
  say("building the feature store");
  VOLAN_TRY(auto built, run_blocking(server.pools(), server.features().build(std::string(default_project), server.project().features, server.embedder(), progress)));
  if (is_terminal) say("");

  say("measuring retrieval");
  auto ask_headings = [&server] { return feature::questions_from_headings(server.features(), default_project, 200); };
  VOLAN_TRY(auto questions, ask_headings());
  VOLAN_TRY(auto dense, measure(server, "dense", questions, true, false));
  VOLAN_TRY(auto lexical, measure(server, "BM25", questions, false, true));
  VOLAN_TRY(auto hybrid, measure(server, "hybrid", questions, true, true));

  std::string report = "# LLM Twin: report\n\n## Collected and indexed\n\n| what | number |\n|---|--:|\n";
  report += fmt::format("| documents | {} |\n| sections | {} |\n| chunks | {} |\n| characters in / out | {} / {} |\n| tokens | {} |\n| embedded now / reused | {} / {} |\n",
                        built.documents, built.sections, built.chunks, built.characters_in, built.characters_out, built.tokens, built.embedded, built.reused);
  report += fmt::format("| collect, cut, embed, index, publish | {:.2f}, {:.2f}, {:.2f}, {:.2f}, {:.2f} s |\n| embedding rate | {:.0f} tokens/s |\n", built.collect_seconds,
                        built.cut_seconds, built.embed_seconds, built.index_seconds, built.publish_seconds, built.embedded_tokens_per_second);
  report += fmt::format("\n## Retrieval: {} questions made from section headings, the section is the right answer\n\n", questions.size());
  report += "| search | recall@1 | recall@5 | recall@10 | MRR | ms per question |\n|---|--:|--:|--:|--:|--:|\n";
  for (const auto* quality : {&dense, &lexical, &hybrid})
    report += fmt::format("| {} | {:.3f} | {:.3f} | {:.3f} | {:.3f} | {:.1f} |\n", quality->name, quality->recall_at_1, quality->recall_at_5, quality->recall_at_10,
                          quality->mrr, quality->questions == 0 ? 0.0 : quality->seconds * 1000 / static_cast<double>(quality->questions));
  report += "\nThe chunks carry their headings, so these questions are easier than a reader's.\n";

  if (!server.project().apps.empty()) {
    const auto& app = server.project().apps.front();
    VOLAN_TRY(auto key, core::read_file(data_folder + "/admin.key", 4096));
    while (!key.empty() && (key.back() == '\n' || key.back() == ' ')) key.pop_back();
    const Address address{server.url(), key};
    report += fmt::format("\n## Answers of {}\n", app.name);
    for (const auto& question : app.suggestions) {
      say("asking: " + question);
      VOLAN_TRY(auto answer, ask(server.pools(), address, app.name, question));
      report += fmt::format("\n**{}**\n\n{}\n\n", question, answer.answer);
      for (const auto& source : answer.sources) report += fmt::format("- [{}] {} › {} ({})\n", source.number, source.title, source.heading, source.url);
      report += fmt::format("\nretrieval {:.0f} ms, total {:.0f} ms, trace {}/traces/{}\n", answer.timings.retrieval_ms, answer.timings.total_ms, server.url(), answer.trace_id);
    }
  }
  report += fmt::format("\nAll of it took {:.0f} s.\n", seconds_since(start));
  VOLAN_TRY_VOID(core::write_file_durably(data_folder + "/report.md", report));
  std::printf("%s\n", report.c_str());
  std::fflush(stdout);
  return {};
}

}  // namespace volan::app
