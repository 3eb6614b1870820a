-- Retention: the content of journalized messages is removed after some days, and old rejected ones are flagged. Off unless set.
ALTER TABLE "municipalities"
  ADD COLUMN "remove_content_after_days" INTEGER CHECK (remove_content_after_days > 0),
  ADD COLUMN "flag_rejected_after_days" INTEGER CHECK (flag_rejected_after_days > 0);
ALTER TABLE "messages" ADD COLUMN "content_removed_at" TIMESTAMPTZ(3);

-- What the content is still there of, and what is rejected, oldest first.
CREATE INDEX messages_with_content_idx ON messages (municipality, handled_at, id)
  WHERE status = 'journalized' AND content_removed_at IS NULL;
CREATE INDEX messages_rejected_idx ON messages (municipality, handled_at, id) WHERE status = 'rejected';

GRANT UPDATE (remove_content_after_days, flag_rejected_after_days) ON municipalities TO indbakke_app;
GRANT SELECT (cvr, remove_content_after_days) ON municipalities TO indbakke_worker;
GRANT SELECT (handled_at, legal_hold, content_removed_at) ON messages TO indbakke_worker;
