-- The deletion ledger is in files outside the database; here is which deletions are in it.
ALTER TABLE messages ADD in_deletion_ledger boolean NOT NULL DEFAULT false;
CREATE INDEX messages_not_in_ledger_idx ON messages (municipality, id) WHERE status = 'deleted' AND NOT in_deletion_ledger;
GRANT SELECT (in_deletion_ledger) ON messages TO indbakke_worker;
