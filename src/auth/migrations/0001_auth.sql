-- Projects are the tenant boundary; keys, sessions and sign-in tokens are kept as SHA-256 hashes only. Times are nanoseconds since 1970 UTC, 0 = never.
CREATE TABLE auth_projects (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_ns BIGINT NOT NULL
);
CREATE TABLE auth_keys (
  id TEXT PRIMARY KEY,
  project TEXT NOT NULL REFERENCES auth_projects (id),
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  prefix TEXT NOT NULL,
  created_ns BIGINT NOT NULL,
  last_used_ns BIGINT NOT NULL,
  expires_ns BIGINT NOT NULL,
  revoked_ns BIGINT NOT NULL
);
CREATE INDEX auth_keys_by_project ON auth_keys (project, created_ns);
CREATE TABLE auth_sessions (
  hash TEXT PRIMARY KEY,
  key_id TEXT NOT NULL REFERENCES auth_keys (id),
  created_ns BIGINT NOT NULL,
  expires_ns BIGINT NOT NULL
);
CREATE TABLE auth_sign_in_tokens (
  hash TEXT PRIMARY KEY,
  key_id TEXT NOT NULL REFERENCES auth_keys (id),
  created_ns BIGINT NOT NULL,
  expires_ns BIGINT NOT NULL,
  used_ns BIGINT NOT NULL
);
