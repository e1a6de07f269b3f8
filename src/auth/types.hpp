/// Who may do what: roles, projects, keys and what the API shows of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/fields.hpp"
#include "core/time.hpp"
#include "net/http.hpp"

namespace volan::auth {

/// What a key may do in its project; each role may do what the one before may.
enum class Role { viewer, member, admin };

constexpr auto describe(const Role*) {
  return core::names("Role", core::name(Role::viewer, "viewer"), core::name(Role::member, "member"), core::name(Role::admin, "admin"));
}

/// The same as the route table says it.
constexpr net::Access access_of(Role role) {
  return role == Role::admin ? net::Access::admin : role == Role::member ? net::Access::member : net::Access::viewer;
}

/// The project that exists from the first start; only its admins make further ones.
inline constexpr std::string_view default_project = "default";

struct Project {
  std::string id{};
  std::string name{};
  core::Time created{};
};
constexpr auto describe(const Project*) {
  return core::object("Project", core::field("id", &Project::id, "Lower-case letters, digits and hyphens; never changes."),
                      core::field("name", &Project::name, "For people."), core::field("created", &Project::created));
}

/// A key as it is listed: never the key itself.
struct ApiKey {
  std::string id{};
  std::string name{};
  Role role = Role::viewer;
  std::string prefix{};
  core::Time created{};
  std::optional<core::Time> last_used{};
  std::optional<core::Time> expires{};
  std::optional<core::Time> revoked{};
};
constexpr auto describe(const ApiKey*) {
  return core::object(
      "ApiKey", core::field("id", &ApiKey::id), core::field("name", &ApiKey::name, "For people."), core::field("role", &ApiKey::role),
      core::field("prefix", &ApiKey::prefix, "The first characters of the key, to tell keys apart."),
      core::field("created", &ApiKey::created), core::field("last_used", &ApiKey::last_used, "To the minute; absent = never."),
      core::field("expires", &ApiKey::expires, "Absent = never."), core::field("revoked", &ApiKey::revoked, "Absent = still valid."));
}

struct NewKey {
  std::string name{};
  Role role = Role::viewer;
  std::optional<core::Time> expires{};
};
constexpr auto describe(const NewKey*) {
  return core::object("NewKey", core::field("name", &NewKey::name, "For people; 1 to 100 characters."),
                      core::field("role", &NewKey::role, "What the key may do."),
                      core::field("expires", &NewKey::expires, "When it stops working; never when absent."));
}

/// The only moment a key is visible.
struct CreatedKey {
  ApiKey info{};
  std::string key{};
};
constexpr auto describe(const CreatedKey*) {
  return core::object("CreatedKey", core::field("info", &CreatedKey::info),
                      core::field("key", &CreatedKey::key, "The key itself. It is shown this once; only its hash is kept."));
}

struct NewProject {
  std::string id{};
  std::optional<std::string> name{};
};
constexpr auto describe(const NewProject*) {
  return core::object("NewProject",
                      core::field("id", &NewProject::id, "1 to 63 lower-case letters, digits and hyphens, starting with a letter."),
                      core::field("name", &NewProject::name, "For people; the id when absent."));
}

struct CreatedProject {
  Project project{};
  CreatedKey admin_key{};
};
constexpr auto describe(const CreatedProject*) {
  return core::object("CreatedProject", core::field("project", &CreatedProject::project),
                      core::field("admin_key", &CreatedProject::admin_key, "The first key of the project."));
}

/// Exactly one of the two.
struct SignIn {
  std::optional<std::string> key{};
  std::optional<std::string> token{};
};
constexpr auto describe(const SignIn*) {
  return core::object("SignIn", core::field("key", &SignIn::key, "An API key."),
                      core::field("token", &SignIn::token, "The token of a one-time sign-in link."));
}

/// Who the caller is.
struct Viewer {
  std::string project{};
  std::string project_name{};
  Role role = Role::viewer;
  std::string actor{};
  std::string actor_name{};
  bool is_session = false;
  std::string csrf_header{};
};
constexpr auto describe(const Viewer*) {
  return core::object("Viewer", core::field("project", &Viewer::project, "Id of the project."),
                      core::field("project_name", &Viewer::project_name), core::field("role", &Viewer::role),
                      core::field("actor", &Viewer::actor, "Id of the key."),
                      core::field("actor_name", &Viewer::actor_name, "Name of the key."),
                      core::field("is_session", &Viewer::is_session, "Signed in by a browser session."),
                      core::field("csrf_header", &Viewer::csrf_header,
                                  "Header that a browser session must send with every request that changes something."));
}

struct KeyList {
  std::vector<ApiKey> keys{};
};
constexpr auto describe(const KeyList*) { return core::object("KeyList", core::field("keys", &KeyList::keys, "Newest first.")); }

struct ProjectList {
  std::vector<Project> projects{};
};
constexpr auto describe(const ProjectList*) { return core::object("ProjectList", core::field("projects", &ProjectList::projects)); }

}  // namespace volan::auth
