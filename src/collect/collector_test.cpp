#include "collect/collector.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "core/file.hpp"
#include "storage/testing.hpp"

namespace volan::collect {
namespace {

class Collector : public storage::EachDatabase {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(EachDatabase::SetUp());
    auto store = DocumentStore::open(*database);
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::make_unique<DocumentStore>(std::move(*store));
    std::filesystem::create_directories(folder_.file("pages/deep"));
    source_ = {.name = "book", .folder = folder_.file("pages"), .author = "Ann", .skip = {"index*"}};
    write("a.html", "<h1>A</h1>one");
    write("deep/b.html", "<h1>B</h1>two");
    write("index.html", "<h1>I</h1>left out");
    write("notes.txt", "left out");
  }
  void write(const std::string& name, const std::string& text) { std::ofstream(folder_.file("pages/" + name)) << text; }
  CollectReport collect() {
    auto report = collect_folder("p1", source_, *store_, clock_);
    EXPECT_TRUE(report) << (report ? "" : report.error().message);
    return report ? std::move(*report) : CollectReport{};
  }
  std::vector<DocumentHead> in_use() { return store_->in_use("p1").value(); }

  core::TempFolder folder_ = core::TempFolder::create().value();
  std::unique_ptr<DocumentStore> store_;
  core::ManualClock clock_;
  SourceConfig source_;
};
INSTANTIATE_TEST_SUITE_P(EachDatabase, Collector, storage::each_database(), storage::database_name);

TEST_P(Collector, ReadsAFolderIntoDocuments) {
  const CollectReport report = collect();
  EXPECT_EQ(report.found, 2);
  EXPECT_EQ(report.created, 2);
  const auto heads = in_use();
  ASSERT_EQ(heads.size(), 2u);
  EXPECT_EQ(heads[0].locator, "a.html");
  EXPECT_EQ(heads[1].locator, "deep/b.html");
  const Document document = store_->load("p1", heads[1].id).value();
  EXPECT_EQ(document.title, "B");
  EXPECT_EQ(document.author, "Ann");
  EXPECT_EQ(document.url, "file://" + std::filesystem::canonical(source_.folder).string() + "/deep/b.html");
  ASSERT_EQ(document.sections.size(), 1u);
  EXPECT_EQ(document.sections[0].blocks, (std::vector<Block>{{BlockKind::paragraph, "two"}}));
}

TEST_P(Collector, ReadsOnlyWhatChanged) {
  collect();
  const auto before = in_use();
  clock_.advance_ns(5);
  EXPECT_EQ(collect().unchanged, 2);
  write("a.html", "<h1>A</h1>uno");
  clock_.advance_ns(5);
  const CollectReport report = collect();
  EXPECT_EQ(report.changed, 1);
  EXPECT_EQ(report.unchanged, 1);
  const auto after = in_use();
  EXPECT_NE(after[0].id, before[0].id);
  EXPECT_EQ(after[1].id, before[1].id);
  EXPECT_EQ(after[0].first_seen, before[0].first_seen);
  EXPECT_EQ(after[0].changed, clock_.now());
  EXPECT_EQ(after[1].last_seen, clock_.now());
  EXPECT_EQ(after[1].changed, before[1].changed);
  EXPECT_FALSE(store_->load("p1", before[0].id)) << "the old version is gone";
}

TEST_P(Collector, ADeletedPageIsGoneAndComesBack) {
  collect();
  const auto before = in_use();
  std::filesystem::remove(folder_.file("pages/a.html"));
  EXPECT_EQ(collect().gone, 1);
  ASSERT_EQ(in_use().size(), 1u);
  EXPECT_EQ(store_->list("p1", {.state = "gone"}).value().at(0).locator, "a.html");
  EXPECT_EQ(collect().gone, 0) << "it is gone only once";
  write("a.html", "<h1>A</h1>one");
  EXPECT_EQ(collect().created, 1);
  EXPECT_EQ(in_use()[0].id, before[0].id) << "the same content is the same document";
}

TEST_P(Collector, AFailingFileNeverFailsTheWhole) {
  collect();
  const auto before = in_use();
  std::string nested;
  for (int i = 0; i < 1000; ++i) nested += "<div>";
  write("a.html", nested);
  write("c.html", std::string("\0\0binary", 8));
  write("d.html", "<h1>D</h1>fine");
  const CollectReport report = collect();
  EXPECT_EQ(report.failed, 2);
  EXPECT_EQ(report.created, 1);
  ASSERT_EQ(report.failures.size(), 2u);
  EXPECT_EQ(report.failures[0].locator, "a.html");
  EXPECT_NE(report.failures[0].error.find("nested"), std::string::npos);
  const auto heads = in_use();
  ASSERT_EQ(heads.size(), 3u);
  EXPECT_EQ(heads[0].id, before[0].id) << "the last good version stays in use";
  EXPECT_EQ(heads[0].state, "failed");
  EXPECT_FALSE(heads[0].error.empty());
  write("a.html", "<h1>A</h1>one");
  EXPECT_EQ(collect().changed, 1);
  EXPECT_EQ(in_use()[0].state, "present");
}

TEST_P(Collector, LinksDoNotLeadOut) {
  std::ofstream(folder_.file("secret.html")) << "<p>secret";
  std::filesystem::create_symlink(folder_.file("secret.html"), folder_.file("pages/link.html"));
  ASSERT_EQ(mkfifo(folder_.file("pages/pipe.html").c_str(), 0600), 0);
  const CollectReport report = collect();
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_NE(report.failures[0].error.find("leads out"), std::string::npos);
}

TEST_P(Collector, AMissingFolderDeletesNothing) {
  collect();
  const std::string folder = source_.folder;
  source_.folder += "/none";
  EXPECT_EQ(collect_folder("p1", source_, *store_, clock_).error().code, core::ErrorCode::not_found);
  source_.folder = folder;
  source_.include = {"*.xhtml"};
  EXPECT_EQ(collect_folder("p1", source_, *store_, clock_).error().path, "include");
  EXPECT_EQ(in_use().size(), 2u);
}

TEST_P(Collector, AChangedAuthorReadsAgain) {
  collect();
  source_.author = "Bea";
  EXPECT_EQ(collect().changed, 2);
  EXPECT_EQ(in_use()[0].author, "Bea");
}

TEST_P(Collector, ProjectsSeeOnlyTheirOwn) {
  collect();
  EXPECT_TRUE(store_->in_use("p2").value().empty());
  EXPECT_EQ(store_->load("p2", in_use()[0].id).error().code, core::ErrorCode::not_found);
}

TEST_P(Collector, PagesThroughTheList) {
  collect();
  const auto first = store_->list("p1", {.limit = 1}).value();
  ASSERT_EQ(first.size(), 1u);
  const auto second = store_->list("p1", {.after_source = first[0].source, .after_locator = first[0].locator, .limit = 1}).value();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].locator, "deep/b.html");
  EXPECT_TRUE(store_->list("p1", {.author = "Bob"}).value().empty());
}

TEST_P(Collector, NamesTheWrongField) {
  source_.author = "";
  EXPECT_EQ(check(source_).error().path, "author");
  source_.author = "Ann";
  source_.name = "two\nlines";
  EXPECT_EQ(check(source_).error().path, "name");
  source_.name = "book";
  source_.files_max = 1;
  EXPECT_EQ(collect_folder("p1", source_, *store_, clock_).error().path, "files_max");
}

}  // namespace
}  // namespace volan::collect
