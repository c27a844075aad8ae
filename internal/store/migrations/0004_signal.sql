-- In which value of a participant changes are looked for; empty: the default.

ALTER TABLE participants ADD COLUMN signal TEXT NOT NULL DEFAULT '';
