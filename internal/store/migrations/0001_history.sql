-- Instants are nanoseconds since 1970-01-01 UTC, NULL where there is none; durations are nanoseconds.
-- Columns named after a list or an object hold JSON, NULL where empty.

CREATE TABLE campaigns (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  kind          TEXT NOT NULL,
  state         TEXT NOT NULL,
  protocol_hash TEXT NOT NULL,
  protocol      TEXT NOT NULL,
  duration      INTEGER NOT NULL, -- of one measurement; exact, where the protocol's JSON has seconds
  warmup        INTEGER NOT NULL,
  machine       TEXT NOT NULL,
  seed          INTEGER NOT NULL, -- the bits of an unsigned number
  rounds        INTEGER NOT NULL,
  started       INTEGER,
  finished      INTEGER
) STRICT;

CREATE TABLE participants (
  campaign  INTEGER NOT NULL REFERENCES campaigns (id),
  position  INTEGER NOT NULL,
  framework TEXT NOT NULL,
  edition   TEXT NOT NULL,
  serving   TEXT NOT NULL,
  workload  TEXT NOT NULL,
  version   TEXT NOT NULL,
  server    TEXT NOT NULL,
  python    TEXT NOT NULL,
  packages  TEXT,
  marks     TEXT,
  PRIMARY KEY (campaign, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE measurements (
  id                INTEGER PRIMARY KEY AUTOINCREMENT,
  campaign          INTEGER NOT NULL REFERENCES campaigns (id),
  round             INTEGER NOT NULL,
  position          INTEGER NOT NULL,
  attempt           INTEGER NOT NULL,
  framework         TEXT NOT NULL,
  edition           TEXT NOT NULL,
  serving           TEXT NOT NULL,
  workload          TEXT NOT NULL,
  started           INTEGER,
  engine            TEXT NOT NULL,
  requests          INTEGER NOT NULL,
  duration          INTEGER NOT NULL,
  bytes             INTEGER NOT NULL,
  errors            TEXT,
  reconnects        INTEGER NOT NULL,
  client_cpu        INTEGER NOT NULL,
  client_wait       INTEGER NOT NULL,
  client_start_cpu  INTEGER NOT NULL,
  quantiles         TEXT,
  latency_corrected INTEGER NOT NULL,
  body_unchecked    INTEGER NOT NULL,
  first_wrong       TEXT NOT NULL,
  server_cpu        INTEGER NOT NULL,
  server_memory     INTEGER NOT NULL,
  server_run_queue  INTEGER NOT NULL,
  server_processes  INTEGER NOT NULL,
  conditions        TEXT NOT NULL,
  marks             TEXT,
  failure           TEXT,
  latency           BLOB -- last, so that reading the rest need not pass over it
) STRICT;

-- A write that is repeated after an unclear failure must not count twice.
CREATE UNIQUE INDEX measurements_once ON measurements
  (campaign, round, position, attempt, framework, edition, serving, workload, started, coalesce(failure, ''));
