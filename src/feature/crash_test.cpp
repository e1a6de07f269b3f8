// Kills a process at random moments of its builds and looks at what is left.
#include <gtest/gtest.h>
#include <signal.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "core/process.hpp"
#include "feature/feature_testing.hpp"

namespace volan::feature {
namespace {

constexpr int pages = 6;

void write_version(const testing::Workspace& work, int version) {
  for (int page = 0; page < pages; ++page)
    work.write(std::to_string(page) + ".html",
               "<h1>Page " + std::to_string(page) + "</h1>common words of marker" + std::to_string(version));
}

// Runs only as the child of the test below: builds version after version and says each step on standard output.
TEST(FeatureCrash, Child) {
  if (std::getenv("VOLAN_CRASH_FOLDER") == nullptr) GTEST_SKIP() << "only the test below starts it";
  testing::Workspace work(std::getenv("VOLAN_CRASH_FOLDER"));
  work.config.embed_batch = 2;
  const int first = std::atoi(std::getenv("VOLAN_CRASH_VERSION"));
  for (int version = first; version < first + 1000; ++version) {
    write_version(work, version);
    const auto report = work.try_build([](const BuildProgress& progress) {
      std::printf("%d %ld\n", static_cast<int>(progress.stage), static_cast<long>(progress.done));
      std::fflush(stdout);
    });
    ASSERT_TRUE(report) << core::to_text(report.error());
  }
}

// Goal: after a kill at any moment the store opens without repair and answers from one whole snapshot, and the next build completes.
// Method: the child is killed when it says its n-th step, n random; the parent opens, checks, builds, checks. The seed is printed by a
// failure.
TEST(FeatureCrash, AKillAtAnyMomentLeavesTheOldOrTheNewSnapshot) {
  const auto folder = core::TempFolder::create().value();
  const unsigned seed = 20261123;
  std::mt19937 random(seed);
  int version = 1;
  for (int round = 0; round < 12; ++round) {
    SCOPED_TRACE("seed " + std::to_string(seed) + " round " + std::to_string(round));
    std::mutex mutex;
    std::condition_variable stepped;
    std::size_t steps = 0;
    const std::size_t kill_after = 1 + random() % 40;
    core::ProcessOptions options;
    options.program = "/proc/self/exe";
    options.arguments.emplace_back("--gtest_filter=FeatureCrash.Child");
    options.env["VOLAN_CRASH_FOLDER"] = folder.path();
    options.env["VOLAN_CRASH_VERSION"] = std::to_string(version);
    options.on_line = [&](std::string_view line) {
      if (line.empty() || line[0] < '0' || line[0] > '9') return;
      const std::lock_guard lock(mutex);
      ++steps;
      stepped.notify_one();
    };
    auto child = core::Process::start(std::move(options)).value();
    {
      std::unique_lock lock(mutex);
      ASSERT_TRUE(stepped.wait_for(lock, std::chrono::seconds(60), [&] { return steps >= kill_after; })) << "the child stands still";
    }
    kill(-child->pid(), SIGKILL);
    kill(child->pid(), SIGKILL);
    ASSERT_TRUE(child->wait(std::chrono::seconds(20)));
    version += 1000;

    testing::Workspace work(folder.path());
    if (const auto snapshot = work.snapshot()) {
      const auto texts = work.lexical("common");
      ASSERT_EQ(texts.size(), static_cast<std::size_t>(pages));
      EXPECT_EQ(std::set<std::string>(texts.begin(), texts.end()).size(), 1u) << "a mixture of two versions";
      EXPECT_EQ(work.dense("common words").size(), static_cast<std::size_t>(pages));
    }
    write_version(work, version);
    work.build();
    EXPECT_EQ(work.lexical("marker" + std::to_string(version)).size(), static_cast<std::size_t>(pages));
    EXPECT_EQ(work.snapshot()->chunk_count(), static_cast<std::size_t>(pages));
    EXPECT_EQ(work.features->store().builds("p1", 5).value().size(), 0u);
    ++version;
  }
}

}  // namespace
}  // namespace volan::feature
