-- The deletion ledger has content removals by retention too.
DROP INDEX messages_not_in_ledger_idx;
CREATE INDEX messages_not_in_ledger_idx ON messages (municipality, id)
  WHERE (status = 'deleted' OR content_removed_at IS NOT NULL) AND NOT in_deletion_ledger;
