// Goal: every branch of the life of a model server, driven by events with times of our choosing; no process, no clock.
#include "runtime/server_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace volan::runtime {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

/// A machine with a clock that the test moves. Actions are shown as text: "kill start wait:500".
class Life {
 public:
  explicit Life(RestartPolicy policy = {}) : machine(policy) {}
  std::string say(const ServerEvent& event, milliseconds after = milliseconds(0)) {
    now.ns += after.count() * 1'000'000;
    std::string text;
    for (const auto& action : machine.advance(event, now)) text += (text.empty() ? "" : " ") + name(action);
    return text;
  }
  void make_ready() {
    say(StartAsked{});
    say(Started{});
    say(TimerFired{});
    say(HealthOk{});
  }
  static std::string name(const ServerAction& action) {
    if (std::holds_alternative<StartProcess>(action)) return "start";
    if (std::holds_alternative<KillProcess>(action)) return "kill";
    if (std::holds_alternative<CheckHealth>(action)) return "check";
    if (std::holds_alternative<CancelTimer>(action)) return "cancel";
    return "wait:" + std::to_string(std::get<Schedule>(action).after.count());
  }
  ServerMachine machine;
  core::Time now{1'000'000'000'000};
};

TEST(ServerMachine, BecomesReadyWhenTheHealthCheckPasses) {
  Life life;
  EXPECT_EQ(life.machine.state(), ServerState::stopped);
  EXPECT_EQ(life.say(StartAsked{}), "cancel start");
  EXPECT_EQ(life.machine.state(), ServerState::starting);
  EXPECT_EQ(life.say(Started{}), "wait:50");
  EXPECT_EQ(life.say(TimerFired{}, milliseconds(50)), "check");
  EXPECT_EQ(life.say(HealthFailed{"connection refused"}), "wait:100");
  EXPECT_EQ(life.machine.state(), ServerState::starting);
  EXPECT_EQ(life.say(TimerFired{}, milliseconds(100)), "check");
  EXPECT_EQ(life.say(NotReadyYet{"loading the model"}, milliseconds(1850)), "wait:200");
  EXPECT_EQ(life.machine.progress(), "loading the model, 2.0 s");
  EXPECT_EQ(life.say(HealthOk{}), "wait:15000");
  EXPECT_EQ(life.machine.state(), ServerState::ready);
  EXPECT_EQ(life.machine.progress(), "");
  EXPECT_EQ(life.machine.restarts(), 0u);
}

TEST(ServerMachine, PollsLessOftenTheLongerTheStartTakesButAtLeastEverySecond) {
  Life life;
  life.say(StartAsked{});
  std::string waits = life.say(Started{});
  for (int i = 0; i < 6; ++i) waits += " " + life.say(NotReadyYet{"loading the model"});
  EXPECT_EQ(waits, "wait:50 wait:100 wait:200 wait:400 wait:800 wait:1000 wait:1000");
}

TEST(ServerMachine, ChecksItsHealthEachIntervalWhileReady) {
  Life life;
  life.make_ready();
  EXPECT_EQ(life.say(TimerFired{}, milliseconds(15'000)), "check");
  EXPECT_EQ(life.say(HealthOk{}), "wait:15000");
}

TEST(ServerMachine, KillsAServerThatIsNotReadyInTime) {
  Life life({.start_timeout = milliseconds(10'000)});
  life.say(StartAsked{});
  life.say(Started{});
  EXPECT_EQ(life.say(NotReadyYet{"loading the model"}, milliseconds(10'000)), "kill wait:500");
  EXPECT_EQ(life.machine.state(), ServerState::backing_off);
  EXPECT_THAT(life.machine.last_error(), HasSubstr("was not ready after 10.0 s"));
}

TEST(ServerMachine, StartsAgainLaterAndLaterAfterEachExitAndGivesUpInTheEnd) {
  Life life({.backoff_max = milliseconds(1'500), .starts_max = 4});
  life.say(StartAsked{});
  EXPECT_EQ(life.say(Exited{"exit code 1: no such tensor"}), "wait:500");
  EXPECT_EQ(life.machine.state(), ServerState::backing_off);
  EXPECT_EQ(life.machine.progress(), "next start in 0.5 s (start 2 of 4)");
  EXPECT_EQ(life.say(TimerFired{}, milliseconds(500)), "cancel start");
  EXPECT_EQ(life.say(Exited{"again"}), "wait:1000");
  life.say(TimerFired{}, milliseconds(1'000));
  EXPECT_EQ(life.say(Exited{"again"}), "wait:1500");  // the limit
  life.say(TimerFired{}, milliseconds(1'500));
  EXPECT_EQ(life.say(Exited{"the last one"}), "cancel");
  EXPECT_EQ(life.machine.state(), ServerState::failed);
  EXPECT_EQ(life.machine.last_error(), "the last one");
  EXPECT_THAT(life.machine.progress(), HasSubstr("gave up after 4 starts"));
  EXPECT_EQ(life.machine.restarts(), 3u);
  EXPECT_EQ(life.say(TimerFired{}), "");  // a late timer does not wake it
}

TEST(ServerMachine, ForgetsStartsThatLieOutsideOfTheWindow) {
  Life life({.starts_max = 2, .window = milliseconds(60'000)});
  life.make_ready();
  EXPECT_EQ(life.say(Exited{"signal 9"}, milliseconds(70'000)), "wait:500");
  life.say(TimerFired{}, milliseconds(500));
  EXPECT_EQ(life.say(Exited{"signal 9"}, milliseconds(70'000)), "wait:500");
  EXPECT_EQ(life.machine.state(), ServerState::backing_off);
}

TEST(ServerMachine, RecoversFromASingleFailedHealthCheck) {
  Life life;
  life.make_ready();
  EXPECT_EQ(life.say(HealthFailed{"no answer in 5 s"}), "wait:2000");
  EXPECT_EQ(life.machine.state(), ServerState::unhealthy);
  EXPECT_EQ(life.machine.progress(), "failed 1 of 5 health checks");
  EXPECT_EQ(life.say(HealthOk{}), "wait:15000");
  EXPECT_EQ(life.machine.state(), ServerState::ready);
  EXPECT_EQ(life.machine.last_error(), "no answer in 5 s");
  life.say(HealthOk{});
  EXPECT_EQ(life.machine.last_error(), "");  // well for a whole interval
}

TEST(ServerMachine, RestartsAServerThatKeepsFailingItsHealthChecks) {
  Life life({.health_failures_max = 3});
  life.make_ready();
  life.say(HealthFailed{"no answer"});
  EXPECT_EQ(life.say(NotReadyYet{"loading the model"}), "wait:2000");  // counts as a failure once it was ready
  EXPECT_EQ(life.say(HealthFailed{"no answer"}), "kill wait:500");
  EXPECT_EQ(life.machine.state(), ServerState::backing_off);
  EXPECT_EQ(life.machine.last_error(), "failed 3 health checks in a row: no answer");
}

TEST(ServerMachine, FailsAtOnceWhenAStartCannotSucceed) {
  Life life;
  life.say(StartAsked{});
  EXPECT_EQ(life.say(StartImpossible{"model.gguf: is not a GGUF file"}), "cancel");
  EXPECT_EQ(life.machine.state(), ServerState::failed);
  EXPECT_EQ(life.machine.last_error(), "model.gguf: is not a GGUF file");
}

TEST(ServerMachine, TriesAgainWhenTheProcessCannotBeStarted) {
  Life life;
  life.say(StartAsked{});
  EXPECT_EQ(life.say(StartFailed{"fork: resource temporarily unavailable"}), "wait:500");
  EXPECT_EQ(life.machine.state(), ServerState::backing_off);
}

TEST(ServerMachine, TakesAnotherPortAtOnceButNotForEver) {
  Life life({.starts_max = 3});
  life.say(StartAsked{});
  EXPECT_EQ(life.say(PortTaken{}), "cancel start");
  EXPECT_EQ(life.say(PortTaken{}), "cancel start");
  EXPECT_EQ(life.say(PortTaken{}), "cancel");
  EXPECT_EQ(life.machine.state(), ServerState::failed);
  EXPECT_THAT(life.machine.last_error(), HasSubstr("no free port"));
}

TEST(ServerMachine, AskedToStartKillsWhatRunsAndForgetsFailures) {
  Life life({.starts_max = 1});
  life.make_ready();
  EXPECT_EQ(life.say(StartAsked{}), "kill cancel start");
  EXPECT_EQ(life.machine.restarts(), 1u);
  life.say(Exited{"boom"});
  EXPECT_EQ(life.machine.state(), ServerState::failed);
  EXPECT_EQ(life.say(StartAsked{}), "cancel start");
  EXPECT_EQ(life.machine.state(), ServerState::starting);
  EXPECT_EQ(life.machine.last_error(), "");
}

TEST(ServerMachine, StopsInEveryStateAndThenIgnoresLateEvents) {
  Life life;
  EXPECT_EQ(life.say(StopAsked{}), "cancel");
  life.make_ready();
  EXPECT_EQ(life.say(StopAsked{}), "cancel kill");
  EXPECT_EQ(life.machine.state(), ServerState::stopped);
  for (const ServerEvent& late : {ServerEvent(Started{}), ServerEvent(StartFailed{"x"}), ServerEvent(StartImpossible{"x"}),
                                  ServerEvent(PortTaken{}), ServerEvent(HealthOk{}), ServerEvent(HealthFailed{"x"}),
                                  ServerEvent(NotReadyYet{"x"}), ServerEvent(Exited{"x"}), ServerEvent(TimerFired{})})
    EXPECT_EQ(life.say(late), "");
  EXPECT_EQ(life.machine.state(), ServerState::stopped);
  life.say(StartAsked{});
  life.say(Exited{"x"});
  EXPECT_EQ(life.say(StopAsked{}), "cancel");  // nothing to kill while backing off
  EXPECT_EQ(life.machine.state(), ServerState::stopped);
}

}  // namespace
}  // namespace volan::runtime
