/// What the tests of this module share.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "auth/auth.hpp"
#include "core/file.hpp"
#include "storage/testing.hpp"

namespace volan::auth::testing {

/// Runs a coroutine on an io loop and blocks until it ends.
template <class T>
core::Result<T> run(core::Pools& pools, core::Task<T> task) {
  return boost::asio::co_spawn(pools.io(0), std::move(task), boost::asio::use_future).get();
}

/// Auth on a fresh database, with a clock that stands still.
class AuthTest : public storage::EachDatabase {
 protected:
  void SetUp() override {
    EachDatabase::SetUp();
    auto created = core::TempFolder::create("volan-auth");
    ASSERT_TRUE(created.has_value());
    folder.emplace(std::move(*created));
    options.data_folder = folder->path();
    options.refresh_interval = std::chrono::hours(24);  // tests refresh by themselves
    open();
  }
  void TearDown() override {
    auth.reset();
    EachDatabase::TearDown();
  }
  /// Also opens it again, as after a restart.
  void open() {
    auth.reset();
    auto opened = Auth::open(*database, pools, clock, options, log, metrics);
    ASSERT_TRUE(opened.has_value()) << core::to_text(opened.error());
    auth = std::move(*opened);
  }
  std::string admin_key() const {
    auto text = core::read_file(folder->file("admin.key"));
    EXPECT_TRUE(text.has_value());
    while (!text->empty() && text->back() == '\n') text->pop_back();
    return *text;
  }
  core::Result<net::Principal> call(std::string name, std::string value, std::string address = "10.0.0.1") {
    net::Request request;
    request.headers.add(name, value);
    request.client_address = std::move(address);
    return auth->authenticator()(request);
  }
  core::Result<net::Principal> with_key(const std::string& key) { return call("authorization", "Bearer " + key); }
  /// The value of a Set-Cookie header as the browser sends it back.
  static std::string cookie_of(const std::string& set_cookie) { return set_cookie.substr(0, set_cookie.find(';')); }
  CreatedKey create_key(Role role, std::optional<core::Time> expires = {}, std::string project = "default") {
    auto created = run(pools, auth->create_key(std::move(project), {.name = "a key", .role = role, .expires = expires}));
    EXPECT_TRUE(created.has_value());
    return created.value_or(CreatedKey{});
  }

  core::Pools pools{{.io = 1, .compute = 1, .disk = 2}};
  core::ManualClock clock;
  core::Log log{core::LogLevel::off};
  core::Metrics metrics;
  AuthOptions options;
  std::optional<core::TempFolder> folder;
  std::unique_ptr<Auth> auth;
};

}  // namespace volan::auth::testing
