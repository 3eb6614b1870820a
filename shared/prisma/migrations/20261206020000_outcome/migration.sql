-- The address book of a municipality: where rejected messages are sent on to.
CREATE TABLE "departments" (
    "municipality" TEXT NOT NULL,
    "department_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "email" TEXT,
    "phone" TEXT,
    "address" TEXT,
    "note" TEXT,
    "is_active" BOOLEAN NOT NULL DEFAULT true,
    "removed_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "departments_pkey" PRIMARY KEY ("municipality","department_id")
);
ALTER TABLE departments ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON departments TO indbakke_app USING (municipality = current_setting('indbakke.municipality', true));
GRANT SELECT, INSERT, UPDATE ON departments TO indbakke_app;

-- What became of a rejected message. Codes and ids here; where it was sent on to in words, and whether the sender was informed, stay
-- in message_details.
ALTER TABLE "messages"
  ADD COLUMN "outcome_at" TIMESTAMPTZ(3),
  ADD COLUMN "outcome_by" TEXT,
  ADD COLUMN "outcome_department_id" TEXT;
ALTER TABLE messages
  ADD CHECK ((outcome_at IS NULL) = (outcome_by IS NULL)),
  ADD CHECK (outcome_department_id IS NULL OR outcome_at IS NOT NULL);

-- What was told with a rejection was an outcome, unless it said only that the sender was not informed.
UPDATE messages m SET outcome_at = m.status_at, outcome_by = m.status_by
FROM message_details d
WHERE d.message_id = m.id AND m.status = 'rejected' AND (d.forwarded_to IS NOT NULL OR d.sender_informed);

-- Rejected messages of which nobody has told what became of them, oldest first.
CREATE INDEX messages_outcome_open_idx ON messages (municipality, status, received_at, id) WHERE status = 'rejected' AND outcome_at IS NULL;
