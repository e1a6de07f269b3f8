#include "feature/chunk.hpp"

#include <gtest/gtest.h>

#include <random>

#include "feature/clean.hpp"
#include "feature/sentences.hpp"

namespace volan::feature {
namespace {

using collect::Block;
using collect::BlockKind;
using collect::Section;

Section section(std::vector<Block> blocks) { return {{"Top", "Sub"}, 2, "sub", std::move(blocks)}; }

std::vector<std::string> texts(const std::vector<ChunkDraft>& drafts) {
  std::vector<std::string> out;
  for (const ChunkDraft& draft : drafts) out.push_back(draft.text());
  return out;
}

std::string sentence_text(int count, const std::string& word = "word") {
  std::string text;
  for (int i = 0; i < count; ++i) text += "This is the " + word + " number " + std::to_string(i) + ". ";
  text.pop_back();
  return text;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  for (const auto view : sentences(text)) out.emplace_back(view);
  return out;
}

TEST(Sentences, EndAtSentenceBorders) {
  EXPECT_EQ(split("One. Two! Three? \"Four.\" Five (six.) Seven\nEight"),
            (std::vector<std::string>{"One. ", "Two! ", "Three? ", "\"Four.\" ", "Five (six.) ", "Seven\n", "Eight"}));
}
TEST(Sentences, DoNotEndAfterAbbreviationsNumbersOrDotsInNames) {
  EXPECT_EQ(split("See e.g. Fig. 3 by F. Brokken, i.e. Section 2.3 of std.string etc. and so on. Next."),
            (std::vector<std::string>{"See e.g. Fig. 3 by F. Brokken, i.e. Section 2.3 of std.string etc. and so on. ", "Next."}));
}
TEST(Sentences, KnowFullWidthSigns) { EXPECT_EQ(split("一。二！三"), (std::vector<std::string>{"一。", "二！", "三"})); }
TEST(Sentences, TogetherAreTheText) {
  const std::string text = "A. b.. C?!  D... e\n\nF… G";
  std::string all;
  for (const auto view : sentences(text)) all += view;
  EXPECT_EQ(all, text);
}

TEST(Chunk, AShortSectionIsOneChunk) {
  const auto drafts = cut({section({{BlockKind::paragraph, "Intro:"}, {BlockKind::code, "  x;\n"}, {BlockKind::paragraph, "Tail."}})}, {});
  EXPECT_EQ(texts(drafts), std::vector<std::string>{"Intro:\n\n  x;\n\nTail."});
}

TEST(Chunk, NeverCrossesASection) {
  const auto drafts = cut({section({{BlockKind::paragraph, "One."}}), section({{BlockKind::paragraph, "Two."}})}, {});
  ASSERT_EQ(drafts.size(), 2u);
  EXPECT_EQ(drafts[1].section, 1u);
}

TEST(Chunk, EndsAtSentencesAndKeepsTheTail) {
  const std::string text = sentence_text(120);
  const auto drafts = cut({section({{BlockKind::paragraph, text}})}, {});
  ASSERT_GT(drafts.size(), 1u);
  std::string all;
  for (const std::string& chunk : texts(drafts)) {
    EXPECT_LE(count_characters(chunk), 2000);
    EXPECT_GE(count_characters(chunk), 1000) << "the last chunk takes from the one before";
    EXPECT_TRUE(chunk.ends_with('.'));
    all += (all.empty() ? "" : " ") + chunk;
  }
  EXPECT_EQ(all, text);
}

TEST(Chunk, KeepsACodeBlockWhole) {
  std::string code;
  for (int i = 0; i < 60; ++i) code += "    line(" + std::to_string(i) + ");\n";
  const auto drafts =
      cut({section({{BlockKind::paragraph, sentence_text(50)}, {BlockKind::code, code}, {BlockKind::paragraph, sentence_text(50)}})}, {});
  int found = 0;
  for (const ChunkDraft& draft : drafts) found += draft.text().find(code.substr(0, code.size() - 1)) != std::string::npos;
  EXPECT_EQ(found, 1);
}

TEST(Chunk, CutsOnlyALargerCodeBlockAndThenAtLines) {
  std::string code;
  for (int i = 0; i < 300; ++i) code += "    line(" + std::to_string(i) + ");\n";
  const auto drafts = cut({section({{BlockKind::code, code}})}, {});
  ASSERT_GT(drafts.size(), 1u);
  std::string all;
  for (const ChunkDraft& draft : drafts)
    for (const Atom& atom : draft.atoms) {
      EXPECT_TRUE(atom.text.starts_with("    line("));
      all += atom.text;
    }
  EXPECT_EQ(all, code);
}

TEST(Chunk, CutsAnEndlessLineBetweenWordsAndAnEndlessWordAnywhere) {
  const auto words =
      cut({section({{BlockKind::paragraph, std::string(900, 'a') + " " + std::string(900, 'b') + " " + std::string(900, 'c')}})}, {});
  EXPECT_EQ(texts(words).at(0), std::string(900, 'a') + " " + std::string(900, 'b'));
  std::string wide;
  for (int i = 0; i < 5000; ++i) wide += "é";
  std::string all;
  for (const std::string& chunk : texts(cut({section({{BlockKind::paragraph, wide}})}, {}))) {
    EXPECT_LE(count_characters(chunk), 2000);
    all += chunk;
  }
  EXPECT_EQ(all, wide) << "no character is cut in two";
}

TEST(Chunk, RepeatsWholeSentencesAsOverlap) {
  const ChunkSettings settings{.characters_min = 0, .characters_max = 200, .overlap_characters = 60, .tokens_max = 480};
  const auto drafts = cut({section({{BlockKind::paragraph, sentence_text(20)}})}, settings);
  ASSERT_GT(drafts.size(), 2u);
  for (std::size_t i = 1; i < drafts.size(); ++i) {
    std::string repeated;
    for (const Atom& atom : drafts[i].atoms)
      if (atom.is_repeated) repeated += atom.text;
    ASSERT_FALSE(repeated.empty());
    EXPECT_LE(repeated.size(), 60u);
    std::string before;
    for (const Atom& atom : drafts[i - 1].atoms) before += atom.text;
    EXPECT_TRUE(before.ends_with(repeated)) << repeated;
    EXPECT_LE(drafts[i].characters(), 200);
  }
}

TEST(Chunk, HalvesAtTheBestBorderUntilOneCharacterIsLeft) {
  const auto drafts = cut({section({{BlockKind::paragraph, "One sentence. Another sentence. A third one."}})}, {});
  const auto halves = halve(drafts.at(0));
  EXPECT_EQ(texts(halves), (std::vector<std::string>{"One sentence.", "Another sentence. A third one."}));
  const auto code = cut({section({{BlockKind::code, "a;\nb;\nc;\nd;\n"}})}, {});
  EXPECT_EQ(texts(halve(code.at(0))), (std::vector<std::string>{"a;\nb;", "c;\nd;"}));
  const auto one = cut({section({{BlockKind::paragraph, "x"}})}, {});
  EXPECT_EQ(texts(halve(one.at(0))), std::vector<std::string>{"x"});
}

TEST(Chunk, HalvingGivesUpRepetitionsFirst) {
  ChunkDraft draft{0, {{"old. ", 5, false, true}, {"new.", 4, false, false}}};
  EXPECT_EQ(texts(halve(draft)), std::vector<std::string>{"new."});
}

// Goal: characters in = characters out, for every input and limit. Method: random documents; all atoms that are not repeated are the
// sections' text.
TEST(Chunk, LosesNothing) {
  std::mt19937 random(7);
  const std::vector<std::string> pieces = {
      "Word ", "word. ", "é", "x;\n", "\n", "    ", "日本。", "a-very-long-identifier_without_a_border", "! ", "- item\n"};
  for (int round = 0; round < 300; ++round) {
    std::vector<Block> blocks;
    for (std::size_t left = 1 + random() % 4; left > 0; --left) {
      std::string text = "x";
      for (std::size_t i = random() % 80; i > 0; --i) text += pieces[random() % pieces.size()];
      blocks.push_back({static_cast<BlockKind>(random() % 5), text});
    }
    const std::vector<Section> sections = clean({section(blocks)}, Cleaning::keep).sections;
    const ChunkSettings settings{.characters_min = static_cast<std::int64_t>(random() % 30),
                                 .characters_max = 60 + static_cast<std::int64_t>(random() % 200),
                                 .overlap_characters = static_cast<std::int64_t>(random() % 30),
                                 .tokens_max = 480};
    std::vector<ChunkDraft> drafts = cut(sections, settings);
    for (const ChunkDraft& draft : drafts) ASSERT_LE(count_characters(draft.text()), settings.characters_max);
    std::vector<ChunkDraft> smaller;  // every second chunk is halved, as when it has too many tokens
    for (std::size_t i = 0; i < drafts.size(); ++i) {
      if (i % 2 == 0)
        smaller.push_back(drafts[i]);
      else
        for (ChunkDraft& half : halve(drafts[i])) smaller.push_back(std::move(half));
    }
    const auto without_blanks = [](const std::string& text) {
      std::string out;
      for (const char c : text)
        if (c != ' ' && c != '\n') out += c;
      return out;
    };
    std::string expected, found;
    for (const Section& each : sections)
      for (const Block& block : each.blocks) expected += without_blanks(block.text);
    for (const ChunkDraft& draft : smaller)
      for (const Atom& atom : draft.atoms)
        if (!atom.is_repeated) found += without_blanks(atom.text);
    ASSERT_EQ(found, expected) << "round " << round;
  }
}

TEST(Chunk, HeadingsAreCutFromTheOutside) {
  EXPECT_EQ(heading_of(section({}), "Title"), "Top › Sub");
  EXPECT_EQ(heading_of({{}, 0, "", {}}, "Title"), "Title");
  EXPECT_EQ(heading_of({{std::string(300, 'a'), "Sub", "Leaf"}, 3, "", {}}, "Title"), "Sub › Leaf");
  EXPECT_EQ(embedded_text("H", "text", true), "H\n\ntext");
  EXPECT_EQ(embedded_text("H", "text", false), "text");
}

}  // namespace
}  // namespace volan::feature
