-- Cleaned documents, with all that an answer needs to know about their source. One row per document and settings.
CREATE TABLE feature_documents (
  project        TEXT   NOT NULL,
  document_id    TEXT   NOT NULL,
  settings_hash  TEXT   NOT NULL,
  source         TEXT   NOT NULL,
  locator        TEXT   NOT NULL,
  author         TEXT   NOT NULL,
  category       TEXT   NOT NULL,
  title          TEXT   NOT NULL,
  url            TEXT   NOT NULL,
  language       TEXT   NOT NULL,
  sections       BIGINT NOT NULL,
  characters_in  BIGINT NOT NULL,
  characters_out BIGINT NOT NULL,
  chunks         BIGINT NOT NULL,
  body           TEXT   NOT NULL,   -- JSON: the cleaned sections
  PRIMARY KEY (project, document_id, settings_hash)
);

CREATE TABLE feature_chunks (
  project       TEXT   NOT NULL,
  chunk_id      TEXT   NOT NULL,
  document_id   TEXT   NOT NULL,
  settings_hash TEXT   NOT NULL,
  position      BIGINT NOT NULL,    -- in the document, from 0
  section       BIGINT NOT NULL,    -- ordinal of the section in the cleaned document
  heading       TEXT   NOT NULL,    -- path of headings as shown
  leaf          TEXT   NOT NULL,    -- the innermost heading alone
  anchor        TEXT   NOT NULL,
  text          TEXT   NOT NULL,
  text_hash     TEXT   NOT NULL,    -- of the embedded text
  characters    BIGINT NOT NULL,
  tokens        BIGINT NOT NULL,    -- of the embedded text
  PRIMARY KEY (project, chunk_id)
);
CREATE INDEX feature_chunks_by_document ON feature_chunks (project, document_id, settings_hash, position);

-- A snapshot is a set of cleaned documents under one settings hash; its id is the hash of its chunks' ids.
CREATE TABLE feature_snapshots (
  project       TEXT   NOT NULL,
  snapshot_id   TEXT   NOT NULL,
  settings_hash TEXT   NOT NULL,
  embedder      TEXT   NOT NULL,
  dimension     BIGINT NOT NULL,
  documents     BIGINT NOT NULL,
  chunks        BIGINT NOT NULL,
  tokens        BIGINT NOT NULL,
  created_ns    BIGINT NOT NULL,
  used_ns       BIGINT NOT NULL,    -- when it last became current
  PRIMARY KEY (project, snapshot_id)
);
CREATE TABLE feature_snapshot_documents (
  project     TEXT   NOT NULL,
  snapshot_id TEXT   NOT NULL,
  document_id TEXT   NOT NULL,
  ordinal     BIGINT NOT NULL,
  PRIMARY KEY (project, snapshot_id, document_id)
);
CREATE TABLE feature_current (
  project     TEXT NOT NULL PRIMARY KEY,
  snapshot_id TEXT NOT NULL
);

CREATE TABLE feature_builds (
  project    TEXT   NOT NULL,
  build_id   TEXT   NOT NULL,
  state      TEXT   NOT NULL,       -- running, done, failed, cancelled
  started_ns BIGINT NOT NULL,
  ended_ns   BIGINT NOT NULL,       -- 0 while running
  report     TEXT   NOT NULL,       -- JSON
  error      TEXT   NOT NULL,
  PRIMARY KEY (project, build_id)
);
