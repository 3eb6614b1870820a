-- One word for a run of suggest-case, in columns and code.
ALTER TABLE messages RENAME COLUMN looked_at TO suggestion_run_at;
ALTER TABLE messages RENAME COLUMN suggest_round TO suggestion_run;
ALTER INDEX messages_not_looked_at_idx RENAME TO messages_awaiting_suggestion_idx;
