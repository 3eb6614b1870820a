-- A message that one municipality has taken may be reopened where it came from, and then be offered to another one.
DROP INDEX handovers_taken_idx;
CREATE UNIQUE INDEX handovers_taken_idx ON handovers (message_id, to_municipality) WHERE status = 'taken';
