-- The share of a measurement in which connections were not there; NULL where the
-- engine does not know. It stands after the long column, so long lists leave it out.

ALTER TABLE measurements ADD COLUMN unconnected REAL;
