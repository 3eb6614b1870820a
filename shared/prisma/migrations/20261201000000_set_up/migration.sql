-- What a municipality decides by itself. Rules of held messages are one object by cause; a cause without one is held, and nobody is
-- named for it.
ALTER TABLE "municipalities"
  ADD COLUMN "closed_case_team" TEXT,
  ADD COLUMN "held_rules" JSONB NOT NULL DEFAULT '{}',
  ADD COLUMN "is_live" BOOLEAN NOT NULL DEFAULT true,
  ADD COLUMN "letters_answerable" BOOLEAN NOT NULL DEFAULT true,
  ADD COLUMN "release_due" UUID,
  ADD COLUMN "reply_days" INTEGER,
  ADD COLUMN "version" INTEGER NOT NULL DEFAULT 1;
ALTER TABLE municipalities
  ADD CHECK (reply_days BETWEEN 1 AND 3650),
  ADD CHECK (jsonb_typeof(held_rules) = 'object');

ALTER TABLE "contact_points"
  ADD COLUMN "assignee_id" TEXT,
  ADD COLUMN "assignee_kind" TEXT,
  ADD COLUMN "closed_case_team" TEXT,
  ADD COLUMN "info_labels" JSONB NOT NULL DEFAULT '[]',
  ADD COLUMN "is_active" BOOLEAN NOT NULL DEFAULT true,
  ADD COLUMN "kle" TEXT,
  ADD COLUMN "org_unit" TEXT,
  ADD COLUMN "purpose" TEXT NOT NULL DEFAULT 'both',
  ADD COLUMN "removed_at" TIMESTAMPTZ(3),
  ADD COLUMN "sensitivity" TEXT,
  ADD COLUMN "version" INTEGER NOT NULL DEFAULT 1,
  ADD COLUMN "visible_to" TEXT[] NOT NULL DEFAULT ARRAY['CITIZEN', 'COMPANY', 'AUTHORITY'];
ALTER TABLE contact_points
  ADD CHECK (purpose IN ('replies', 'enquiries', 'both')),
  ADD CHECK (visible_to <@ ARRAY['CITIZEN', 'COMPANY', 'AUTHORITY']),
  ADD CHECK (assignee_kind IN ('user', 'team')),
  ADD CHECK ((assignee_kind IS NULL) = (assignee_id IS NULL));

-- More causes for which a message is held, and when somebody else was told of it.
ALTER TABLE "messages" ADD COLUMN "escalated_at" TIMESTAMPTZ(3);
ALTER TABLE messages DROP CONSTRAINT messages_held_cause_check;
ALTER TABLE messages ADD CHECK (held_cause IN ('conflict', 'not-live', 'unknown-contact-point', 'contact-point-off', 'replies-off', 'enquiries-off'));

-- Held messages are few, and are read by municipality: for release in the order of receipt, and for escalation.
CREATE INDEX messages_held_idx ON messages (municipality, received_at, id) WHERE status = 'held';

GRANT INSERT, UPDATE ON contact_points TO indbakke_app;
GRANT UPDATE (name, is_live, takes_replies, takes_enquiries, letters_answerable, reply_days, late_after_days, closed_case_team,
  held_rules, version, release_due) ON municipalities TO indbakke_app;
CREATE POLICY sweep ON municipalities TO indbakke_worker USING (true);
GRANT SELECT (cvr, release_due, held_rules) ON municipalities TO indbakke_worker;
GRANT SELECT (received_at, held_cause, escalated_at) ON messages TO indbakke_worker;
