// Goal: the log keeps the last lines, its file stays small, and the cause of a failure is found among the lines of the last run.
#include "runtime/server_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/file.hpp"

namespace volan::runtime {
namespace {

using ::testing::ElementsAre;

TEST(ServerLog, KeepsTheLastLines) {
  ServerLog log({.lines_max = 2});
  for (const char* line : {"one", "two", "three"}) log.add(line);
  EXPECT_THAT(log.lines(), ElementsAre("two", "three"));
}

TEST(ServerLog, CutsLongLinesAndRepairsTheirBytes) {
  ServerLog log({.line_bytes_max = 4});
  log.add("abcdefgh");
  log.add("a\xff");
  EXPECT_THAT(log.lines(), ElementsAre("abcd", "a\uFFFD"));
}

TEST(ServerLog, FindsTheCauseAmongTheLinesOfTheLastRunOnly) {
  ServerLog log;
  log.start_run("first");
  log.add("0.00.002.710 E srv         start: couldn't bind HTTP server socket");
  log.start_run("second");
  EXPECT_EQ(log.last_error(), "");
  EXPECT_FALSE(log.has_seen("couldn't bind"));
  log.add("0.00.002.426 I cmn  common_param: all is well with E numbers");
  EXPECT_EQ(log.last_error(), "");
  log.add("0.00.003.001 E llama_model_load: error loading model: unknown tokenizer");
  log.add("0.00.003.002 E srv  llama_server: exiting due to model loading error");
  EXPECT_EQ(log.last_error(), "llama_model_load: error loading model: unknown tokenizer");
  EXPECT_TRUE(log.has_seen("unknown tokenizer"));
}

TEST(ServerLog, WritesAFileAndRenamesItOnceItIsFull) {
  const auto folder = core::TempFolder::create();
  const std::string file = folder->file("chat.log");
  {
    ServerLog log({.file = file, .file_bytes_max = 12});
    for (const char* line : {"aaaa", "bbbb", "cccc"}) log.add(line);
    EXPECT_EQ(log.file_error(), "");
  }
  EXPECT_EQ(core::read_file(file + ".1").value_or(""), "aaaa\nbbbb\n");
  EXPECT_EQ(core::read_file(file).value_or(""), "cccc\n");
  ServerLog later({.file = file, .file_bytes_max = 12});  // goes on with the file that is there
  later.add("dddd");
  later.add("eeee");
  EXPECT_EQ(core::read_file(file + ".1").value_or(""), "cccc\ndddd\n");
  EXPECT_FALSE(std::filesystem::exists(file + ".2"));
}

TEST(ServerLog, GoesOnInMemoryWhenTheFileCannotBeWritten) {
  ServerLog log({.file = "/nowhere/chat.log"});
  log.add("still here");
  EXPECT_THAT(log.lines(), ElementsAre("still here"));
  EXPECT_NE(log.file_error(), "");
}

}  // namespace
}  // namespace volan::runtime
