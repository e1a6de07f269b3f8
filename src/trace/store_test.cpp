#include "trace/store.hpp"

#include "core/json.hpp"
#include "trace/testing.hpp"

namespace volan::trace {
namespace {

using core::ErrorCode;
using testing::day_ns;
using testing::hour_ns;
using testing::ms_ns;
using testing::second_ns;
using Ids = std::vector<std::string>;

class TraceStoreTest : public testing::TraceTest {
 protected:
  Span span_of(const std::string& trace_id, std::string parent, std::string name, std::int64_t offset_ns) {
    Span span;
    span.trace_id = trace_id;
    span.span_id = core_id().substr(16);
    span.parent_id = std::move(parent);
    span.project = "p";
    span.name = std::move(name);
    span.status = SpanStatus::ok;
    span.start = {clock.now().ns + offset_ns};
    span.end = core::Time{span.start.ns + 10 * ms_ns};
    return span;
  }
  void record(const Span& span) { ASSERT_TRUE(recorder->record(span).has_value()); }
};

TEST_F(TraceStoreTest, ListsTracesNewestFirstWithPreviews) {
  const std::string old =
      add({.name = "old", .input = {R"("What is\na stream?")"}, .output = {"\"" + std::string(1000, 'y') + "\""}}, 2 * second_ns);
  const std::string young = add({.name = "young", .status = SpanStatus::error, .error = "no model"}, second_ns, 250 * ms_ns);
  flush();
  const auto page = store->list("p", {}, 10, {});
  ASSERT_TRUE(page.has_value()) << core::to_text(page.error());
  ASSERT_EQ(page->traces.size(), 2u);
  EXPECT_FALSE(page->next.has_value());
  EXPECT_EQ(page->traces[0].id, young);
  EXPECT_EQ(page->traces[0].status, ViewStatus::error);
  EXPECT_EQ(page->traces[0].error, "no model");
  EXPECT_DOUBLE_EQ(*page->traces[0].duration_ms, 250.0);
  EXPECT_FALSE(page->traces[0].input_preview.has_value());
  EXPECT_EQ(page->traces[1].id, old);
  EXPECT_EQ(page->traces[1].input_preview, "What is a stream?");
  EXPECT_EQ(page->traces[1].output_preview, std::string(300, 'y'));
}

// The whole life of one trace, and what a reader sees at each moment of it.
TEST_F(TraceStoreTest, ShowsARunningTraceOnceAndThenItsEnd) {
  auto root = recorder->start({.project = "p", .name = "chat"});
  flush();
  auto page = store->list("p", {}, 10, {});
  ASSERT_EQ(page->traces.size(), 1u);
  EXPECT_EQ(page->traces[0].status, ViewStatus::running);
  EXPECT_FALSE(page->traces[0].end.has_value());
  EXPECT_FALSE(page->traces[0].duration_ms.has_value());

  clock.advance_ns(3 * ms_ns);
  root->first_token();
  clock.advance_ns(2 * ms_ns);
  root->span().model = "smollm2";
  EXPECT_TRUE(root->end().has_value());
  flush();
  page = store->list("p", {}, 10, {});
  ASSERT_EQ(page->traces.size(), 1u);
  EXPECT_EQ(page->traces[0].status, ViewStatus::ok);
  EXPECT_EQ(page->traces[0].model, "smollm2");
  EXPECT_DOUBLE_EQ(*page->traces[0].duration_ms, 5.0);
  EXPECT_DOUBLE_EQ(*page->traces[0].first_token_ms, 3.0);
  const auto tree = store->tree("p", root->trace_id());
  ASSERT_EQ(tree->spans.size(), 1u);
  EXPECT_EQ(tree->spans[0].status, ViewStatus::ok);
}

// The server was killed: the same rows say "interrupted" after the restart, in the list, in the tree and to the filters.
TEST_F(TraceStoreTest, CallsATraceInterruptedWhoseServerHasEnded) {
  // What a kill leaves behind: a start without an end.
  Span start = span_of(core_id(), "", "chat", 0);
  start.status = SpanStatus::running;
  start.end.reset();
  record(start);
  const std::string id = start.trace_id;
  EXPECT_EQ(ids({.status = ViewStatus::running}), Ids{id});
  EXPECT_EQ(ids({.status = ViewStatus::interrupted}), Ids{});
  clock.advance_ns(second_ns);
  open();
  EXPECT_EQ(ids({.status = ViewStatus::running}), Ids{});
  EXPECT_EQ(ids({.status = ViewStatus::interrupted}), Ids{id});
  EXPECT_EQ(store->tree("p", id)->spans.at(0).status, ViewStatus::interrupted);
}

TEST_F(TraceStoreTest, Filters) {
  const std::string a =
      add({.name = "Chat answer", .app = "twin", .model = "small", .session_id = "s1", .user_id = "u1", .input = {R"("about Streams")"}},
          5 * second_ns, 10 * ms_ns);
  const std::string b = add({.name = "embed",
                             .status = SpanStatus::error,
                             .app = "other",
                             .model = "mini",
                             .session_id = "s2",
                             .output = {R"("say \"hi\" to 100%")"}},
                            4 * second_ns, 500 * ms_ns);
  const std::string c = add({.name = "chat", .status = SpanStatus::cancelled, .app = "twin", .model = "small"}, 3 * second_ns, 50 * ms_ns);
  EXPECT_EQ(ids(), (Ids{c, b, a}));
  EXPECT_EQ(ids({.app = "twin"}), (Ids{c, a}));
  EXPECT_EQ(ids({.model = "mini"}), Ids{b});
  EXPECT_EQ(ids({.session_id = "s1"}), Ids{a});
  EXPECT_EQ(ids({.user_id = "u1"}), Ids{a});
  EXPECT_EQ(ids({.status = ViewStatus::ok}), Ids{a});
  EXPECT_EQ(ids({.status = ViewStatus::error}), Ids{b});
  EXPECT_EQ(ids({.status = ViewStatus::cancelled}), Ids{c});
  EXPECT_EQ(ids({.name_contains = "CHAT"}), (Ids{c, a}));
  EXPECT_EQ(ids({.text_contains = "streams"}), Ids{a});
  EXPECT_EQ(ids({.text_contains = "say \"hi\""}), Ids{b});  // quotes are escaped in stored JSON
  EXPECT_EQ(ids({.text_contains = "%"}), Ids{b});           // and nothing is a wildcard
  EXPECT_EQ(ids({.text_contains = "' OR 1=1 --"}), Ids{});
  EXPECT_EQ(ids({.duration_ms_min = 50.0}), (Ids{c, b}));
  EXPECT_EQ(ids({.from = core::Time{clock.now().ns - 4 * second_ns}}), (Ids{c, b}));
  EXPECT_EQ(ids({.to = core::Time{clock.now().ns - 4 * second_ns}}), Ids{a});
  EXPECT_EQ(ids({.app = "twin", .duration_ms_min = 50.0}), Ids{c});
}

// The text filter looks into every span, the list still shows the trace.
TEST_F(TraceStoreTest, FindsATraceByTheTextOfAnInnerSpan) {
  const std::string id = add({});
  Span inner = span_of(id, "00f067aa0ba902b7", "search", 0);
  inner.output.text = R"(["a needle in there"])";
  record(inner);
  add({});
  EXPECT_EQ(ids({.text_contains = "Needle"}), Ids{id});
}

// A filter that the start passes and the end does not must not show the trace as running.
TEST_F(TraceStoreTest, JudgesATraceByItsEndOnly) {
  auto root = recorder->start({.project = "p", .name = "chat", .model = "asked-for"});
  root->span().model = "answered";
  EXPECT_TRUE(root->end().has_value());
  EXPECT_EQ(ids({.model = "asked-for"}), Ids{});
  EXPECT_EQ(ids({.model = "answered"}), Ids{root->trace_id()});
  EXPECT_EQ(ids({.status = ViewStatus::running}), Ids{});
}

// A client that got no answer sends its spans again; the list, the tree and the counters show them once.
TEST_F(TraceStoreTest, ShowsAnEventOnceHoweverOftenItArrives) {
  Span root = span_of(core_id(), "", "chat", 0);
  root.kind = SpanKind::llm;
  root.prompt_tokens = 7;
  for (int i = 0; i < 5; ++i) record(root);
  flush();
  EXPECT_EQ(ids(), Ids{root.trace_id});
  EXPECT_EQ(store->tree("p", root.trace_id)->spans.size(), 1u);
  const auto stats = store->stats("p", {root.start.ns}, {root.start.ns + 1});
  ASSERT_TRUE(stats.has_value()) << core::to_text(stats.error());
  EXPECT_EQ(stats->traces, 1);
  EXPECT_EQ(stats->models.at(0).prompt_tokens, 7);
}

// Reads everything page by page while new traces keep arriving: nothing is shown twice, nothing that was there is missed. Some begin at the
// same nanosecond, some are still running.
TEST_F(TraceStoreTest, PagesStayStableWhileTracesArrive) {
  Ids expected;
  std::vector<OpenSpan> running;
  for (int i = 0; i < 57; ++i) {
    if (i % 5 == 0) {
      clock.advance_ns(1);
      auto root = recorder->start({.trace_id = core_id(), .project = "p", .name = "chat"});
      expected.push_back(root->trace_id());
      running.push_back(std::move(*root));
    } else {
      expected.push_back(add({}, (i / 4) * second_ns));
    }
  }
  for (const std::int64_t limit : {1, 7, 50, 200}) {
    flush();
    Ids seen;
    std::optional<std::string> after;
    do {
      const auto page = store->list("p", {}, limit, after);
      ASSERT_TRUE(page.has_value()) << core::to_text(page.error());
      EXPECT_LE(std::ssize(page->traces), limit);
      for (const auto& trace : page->traces) seen.push_back(trace.id);
      after = page->next;
      clock.advance_ns(second_ns);
      add({.project = "noise"}, 0);
      add({.name = "late"}, -second_ns);  // newer than everything: belongs to no page that is still to come
      flush();
    } while (after);
    Ids sorted = seen;
    std::ranges::sort(sorted);
    EXPECT_EQ(std::ranges::adjacent_find(sorted), sorted.end()) << "limit " << limit;
    for (const std::string& id : expected) EXPECT_TRUE(std::ranges::binary_search(sorted, id)) << id << " with limit " << limit;
  }
}

TEST_F(TraceStoreTest, RefusesBadPages) {
  EXPECT_EQ(store->list("p", {}, 0, {}).error().path, "limit");
  EXPECT_EQ(store->list("p", {}, 201, {}).error().path, "limit");
  for (const char* cursor : {"", "x", "1_", "_0190a1b2c3d4e5f60718293a4b5c6d7e", "1_0190A1B2C3D4E5F60718293A4B5C6D7E",
                             "1x_0190a1b2c3d4e5f60718293a4b5c6d7e", "99999999999999999999_0190a1b2c3d4e5f60718293a4b5c6d7e"}) {
    const auto page = store->list("p", {}, 10, cursor);
    ASSERT_FALSE(page.has_value()) << cursor;
    EXPECT_EQ(page.error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(page.error().path, "after");
  }
}

TEST_F(TraceStoreTest, ShowsATreeWithWholeValues) {
  const std::string id = add({.span_id = "aaaaaaaaaaaaaaaa", .name = "chat"}, 0);
  Span search = span_of(id, "aaaaaaaaaaaaaaaa", "search", 2 * ms_ns);
  search.kind = SpanKind::retriever;
  search.input.text = R"({"query":"streams"})";
  search.output.text = "\"" + std::string(5000, 'x') + "\"";
  search.attributes["k"].text = "5";
  Span prompt = span_of(id, "aaaaaaaaaaaaaaaa", "prompt", ms_ns);
  record(search);
  record(prompt);
  flush();
  const auto tree = store->tree("p", id);
  ASSERT_TRUE(tree.has_value()) << core::to_text(tree.error());
  EXPECT_EQ(tree->values, TreeValues::full);
  EXPECT_TRUE(tree->is_complete);
  ASSERT_EQ(tree->spans.size(), 3u);
  EXPECT_EQ(tree->spans[0].span_id, "aaaaaaaaaaaaaaaa");
  EXPECT_FALSE(tree->spans[0].parent_id.has_value());
  EXPECT_EQ(tree->spans[1].name, "prompt");
  EXPECT_EQ(tree->spans[2].kind, SpanKind::retriever);
  EXPECT_EQ(tree->spans[2].parent_id, "aaaaaaaaaaaaaaaa");
  EXPECT_EQ(tree->spans[2].input->text, search.input.text);
  EXPECT_EQ(tree->spans[2].output->text, search.output.text);
  EXPECT_EQ(tree->spans[2].attributes->text, R"({"k":5})");
  EXPECT_TRUE(core::parse_json(core::encode_json(*tree)).has_value());
}

// Too large for one answer: previews in the tree, the whole value by its own address.
TEST_F(TraceStoreTest, ShowsPreviewsInAHugeTree) {
  options.tree_bytes_max = 10'000;
  open();
  const std::string id = add({.span_id = "aaaaaaaaaaaaaaaa",
                              .input = {"[\"" + std::string(9'000, 'i') + "\"]"},
                              .output = {"\"" + std::string(9'000, 'o') + "\""}});
  flush();
  const auto tree = store->tree("p", id);
  ASSERT_TRUE(tree.has_value()) << core::to_text(tree.error());
  EXPECT_EQ(tree->values, TreeValues::preview);
  EXPECT_EQ(tree->spans.at(0).output->text, "\"" + std::string(300, 'o') + "\"");
  EXPECT_TRUE(core::parse_json(core::encode_json(*tree)).has_value());
  const auto span = store->span("p", id, "aaaaaaaaaaaaaaaa");
  ASSERT_TRUE(span.has_value());
  EXPECT_EQ(span->output->text.size(), 9'002u);
  EXPECT_EQ(store->span("p", id, "bbbbbbbbbbbbbbbb").error().code, ErrorCode::not_found);
}

// Everything that takes an id answers a stranger as if it did not exist.
TEST_F(TraceStoreTest, HidesTracesOfOtherProjects) {
  const std::string mine = add({.span_id = "aaaaaaaaaaaaaaaa", .input = {R"("secret")"}});
  flush();
  EXPECT_EQ(ids({}, 200, "q"), Ids{});
  EXPECT_EQ(ids({.text_contains = "secret"}, 200, "q"), Ids{});
  EXPECT_EQ(store->tree("q", mine).error().code, ErrorCode::not_found);
  EXPECT_EQ(store->span("q", mine, "aaaaaaaaaaaaaaaa").error().code, ErrorCode::not_found);
  EXPECT_EQ(store->remove("q", mine).error().code, ErrorCode::not_found);
  EXPECT_EQ(store->stats("q", {0}, clock.now())->traces, 0);
  // The same trace id in two projects is two traces.
  add({.trace_id = mine, .span_id = "cccccccccccccccc", .project = "q"});
  EXPECT_EQ(store->tree("p", mine)->spans.size(), 1u);
  EXPECT_EQ(ids({}, 200, "q"), Ids{mine});
  ASSERT_TRUE(store->remove("q", mine).has_value());
  EXPECT_EQ(ids(), Ids{mine});
}

TEST_F(TraceStoreTest, Counts) {
  const core::Time hour{clock.now().ns / hour_ns * hour_ns};
  for (int i = 1; i <= 20; ++i) {
    Span span = span_of(core_id(), "", "chat", 0);
    span.start = {hour.ns + i * second_ns - (i > 10 ? hour_ns : 0)};
    span.end = core::Time{span.start.ns + i * 10 * ms_ns};
    if (i == 20) span.status = SpanStatus::error;
    if (i % 2) span.first_token = core::Time{span.start.ns + ms_ns};
    record(span);
    Span call = span_of(span.trace_id, span.span_id, "model", 0);
    call.start = span.start;
    call.end = span.end;
    call.kind = SpanKind::llm;
    call.model = i <= 15 ? "small" : "large";
    call.prompt_tokens = 100;
    call.completion_tokens = i;
    record(call);
  }
  const auto running = recorder->start({.project = "p", .name = "running"});  // not counted
  flush();
  const auto stats = store->stats("p", {hour.ns - hour_ns}, {hour.ns + hour_ns});
  ASSERT_TRUE(stats.has_value()) << core::to_text(stats.error());
  EXPECT_EQ(stats->traces, 20);
  EXPECT_EQ(stats->errors, 1);
  EXPECT_DOUBLE_EQ(*stats->p50_ms, 105.0);
  EXPECT_DOUBLE_EQ(*stats->p95_ms, 190.5);
  EXPECT_DOUBLE_EQ(*stats->first_token_p50_ms, 1.0);
  ASSERT_EQ(stats->models.size(), 2u);
  EXPECT_EQ(stats->models[0].model, "small");
  EXPECT_EQ(stats->models[0].calls, 15);
  EXPECT_EQ(stats->models[0].prompt_tokens, 1500);
  EXPECT_EQ(stats->models[0].completion_tokens, 120);
  ASSERT_EQ(stats->hours.size(), 2u);
  EXPECT_EQ(stats->hours[0].start.ns, hour.ns - hour_ns);
  EXPECT_EQ(stats->hours[0].traces, 10);
  EXPECT_EQ(stats->hours[0].errors, 1);
  const auto none = store->stats("p", {0}, {1});
  EXPECT_EQ(none->traces, 0);
  EXPECT_FALSE(none->p50_ms.has_value());
}

// What is removed stays removed after a restart, whether it had been moved to disk or not.
TEST_F(TraceStoreTest, RemovesATraceForGood) {
  const std::string moved = add({});
  flush();
  ASSERT_TRUE(store->columns().move_now().has_value());
  const std::string fresh = add({});
  const std::string kept = add({});
  flush();
  ASSERT_TRUE(store->remove("p", moved).has_value());
  ASSERT_TRUE(store->remove("p", fresh).has_value());
  EXPECT_EQ(store->remove("p", moved).error().code, ErrorCode::not_found);
  EXPECT_EQ(ids(), Ids{kept});
  open();
  EXPECT_EQ(ids(), Ids{kept});
  EXPECT_EQ(store->tree("p", moved).error().code, ErrorCode::not_found);
}

// A rule of two days in one project; the others keep everything; the report says what was done.
TEST_F(TraceStoreTest, RemovesTracesThatAreOlderThanTheProjectsRule) {
  options.retention_days = {{"p", 2}};
  options.retention_interval = std::chrono::hours(24);  // the test applies it by itself
  open();
  const std::string old = add({}, 3 * day_ns);
  const std::string young = add({}, day_ns);
  const std::string other = add({.project = "q"}, 30 * day_ns);
  flush();
  EXPECT_FALSE(store->retention("p").last_run.has_value());
  const auto removed = store->apply_retention();
  ASSERT_TRUE(removed.has_value()) << core::to_text(removed.error());
  EXPECT_EQ(*removed, 1);
  EXPECT_EQ(ids(), Ids{young});
  EXPECT_EQ(ids({}, 200, "q"), Ids{other});
  EXPECT_EQ(store->tree("p", old).error().code, ErrorCode::not_found);
  EXPECT_EQ(*store->apply_retention(), 0);
  const RetentionReport report = store->stats("p", {0}, clock.now())->retention;
  EXPECT_EQ(report.days, 2);
  EXPECT_EQ(report.last_run, clock.now());
  EXPECT_EQ(report.removed_traces, 1);
  EXPECT_FALSE(report.error.has_value());
  EXPECT_EQ(store->retention("q").days, 0);
}

}  // namespace
}  // namespace volan::trace
