-- The word of a person that a change is known. A change itself is derived from the
-- measurements; its name is all that is stored of it.

CREATE TABLE acceptances (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  change TEXT NOT NULL UNIQUE, -- the first word about it holds
  at     INTEGER,
  note   TEXT NOT NULL
) STRICT;
