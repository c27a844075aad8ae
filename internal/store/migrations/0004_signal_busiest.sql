-- In which value of a participant changes are looked for; empty: the default.

ALTER TABLE participants ADD COLUMN signal TEXT NOT NULL DEFAULT '';

-- What the busiest process of the server ran or waited for a processor; 0: not known.
-- It stands after the long column, so long lists leave it out.

ALTER TABLE measurements ADD COLUMN server_busiest INTEGER NOT NULL DEFAULT 0;
