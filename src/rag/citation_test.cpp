#include "rag/citation.hpp"

#include <gtest/gtest.h>

#include <random>

namespace volan::rag {
namespace {

std::vector<Source> sources() {
  Source first, second;
  first.number = 1;
  first.text = "A destructor releases memory that the constructor allocated for the object.";
  second.number = 2;
  second.text = "Templates generate functions for arbitrary types during compilation.";
  return {first, second};
}

std::string cite(std::string_view text, std::size_t piece = 1000) {
  Citer citer(sources());
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += piece) out += citer.feed(text.substr(at, piece));
  return out + citer.finish();
}

TEST(Citer, CitesTheSourceThatSupportsASentence) {
  EXPECT_EQ(cite("The destructor releases memory. Templates generate functions!\nBye."),
            "The destructor releases memory. [1] Templates generate functions! [2]\nBye.");
}

TEST(Citer, LeavesASentenceThatNoSourceSupports) {
  const std::string text = "Bananas grow quickly near warm oceans. Memory, really.";
  EXPECT_EQ(cite(text), text);
}

TEST(Citer, LeavesASentenceThatHasItsCitation) {
  for (const std::string text : {"The destructor releases memory [1]. Yes.", "The destructor releases memory. [1] Yes.",
                                 "The destructor releases memory.[2] Yes.", "The destructor releases memory [1, 2]."})
    EXPECT_EQ(cite(text), text);
}

TEST(Citer, DropsCitationsOfUnknownNumbers) {
  EXPECT_EQ(cite("So it is [9]."), "So it is.");
  EXPECT_EQ(cite("So [7] it is [1, 9]."), "So it is [1].");
  EXPECT_EQ(cite("So it is. [3]"), "So it is.");
  EXPECT_EQ(cite("So [7]it is."), "So it is.");
  EXPECT_EQ(cite("The destructor releases memory [9]."), "The destructor releases memory. [1]");
}

TEST(Citer, KeepsBracketsThatAreNoCitations) {
  for (const std::string text : {"table[9] is last", "the range [0, 1] here", "[link](x) and [] and [12", "a [1-2] b"})
    EXPECT_EQ(cite(text), text);
}

TEST(Citer, LeavesCodeAlone) {
  for (const std::string text :
       {"```\nThe destructor releases memory. x[9] [9]\n```\n", "Use `values [9]. The destructor releases memory. ok` here"})
    EXPECT_EQ(cite(text), text);
}

TEST(Citer, GoesOnAfterACodeBlock) {
  EXPECT_EQ(cite("```\nint x;\n```\nThe destructor releases memory. Bye"), "```\nint x;\n```\nThe destructor releases memory. [1] Bye");
}

TEST(Citer, DoesNotEndASentenceAtAnAbbreviationOrInsideANumber) {
  EXPECT_EQ(cite("The destructor releases memory, e.g. 1.5 bytes, here."), "The destructor releases memory, e.g. 1.5 bytes, here. [1]");
}

TEST(Citer, CitesBehindClosingQuotes) {
  EXPECT_EQ(cite("“The destructor releases memory.” So"), "“The destructor releases memory.” [1] So");
}

TEST(Citer, ShowsTextBeforeTheSentenceEnds) {
  Citer citer(sources());
  EXPECT_EQ(citer.feed("The destru"), "The destru");
  EXPECT_EQ(citer.feed("ctor is"), "ctor is");
}

TEST(Citer, GivesTheSameTextHoweverTheInputIsCut) {
  const std::vector<std::string> parts{
      "The destructor releases memory", ". ", "[1]", "[9]",  " ",   "  ", "\n", "\n\n", "`", "```", "é", "“", "”", "!", "[", "]", "1, 9",
      "Templates generate functions",   ",",  "\t",  "\xff", "\xc3"};
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int i = 0; i < 25; ++i) text += parts[random() % parts.size()];
    const std::string whole = cite(text);
    for (const std::size_t piece : {1U, 2U, 3U, 7U}) ASSERT_EQ(cite(text, piece), whole) << "round " << round;
  }
}

TEST(Citer, DropsEveryCitationWithoutSources) {
  Citer citer({});
  const std::string out = citer.feed("So it is [1]. Good [2].");
  EXPECT_EQ(out + citer.finish(), "So it is. Good.");
}

}  // namespace
}  // namespace volan::rag
