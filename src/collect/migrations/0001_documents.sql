-- One row per place that was ever read: the ledger (what was seen when, with which content) and the document it gave.
CREATE TABLE collect_documents (
  project       TEXT   NOT NULL,
  source        TEXT   NOT NULL,
  locator       TEXT   NOT NULL,
  state         TEXT   NOT NULL,            -- present, gone, failed (then document_id is the last good version, or '')
  content_hash  TEXT   NOT NULL,            -- of the bytes read last and the rules that read them
  error         TEXT   NOT NULL DEFAULT '',
  first_seen_ns BIGINT NOT NULL,
  last_seen_ns  BIGINT NOT NULL,
  changed_ns    BIGINT NOT NULL,
  document_id   TEXT   NOT NULL DEFAULT '',
  document_hash TEXT   NOT NULL DEFAULT '', -- content_hash of the version that document_id and body hold
  author        TEXT   NOT NULL DEFAULT '',
  category      TEXT   NOT NULL DEFAULT '',
  title         TEXT   NOT NULL DEFAULT '',
  url           TEXT   NOT NULL DEFAULT '',
  language      TEXT   NOT NULL DEFAULT '',
  body          TEXT   NOT NULL DEFAULT '', -- JSON: the sections
  PRIMARY KEY (project, source, locator)
);
CREATE INDEX collect_documents_by_id ON collect_documents (project, document_id);
