-- A pending reply whose case moved to another municipality that is here too is offered to that one, which takes a copy or declines.
CREATE TABLE "handovers" (
    "id" UUID NOT NULL,
    "from_municipality" TEXT NOT NULL,
    "to_municipality" TEXT NOT NULL,
    "message_id" UUID NOT NULL,
    "taken_message_id" UUID,
    "case_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "letter_at" TIMESTAMPTZ(3) NOT NULL,
    "reply_by" TIMESTAMPTZ(3),
    "is_concern" BOOLEAN NOT NULL,
    "file_count" INTEGER NOT NULL,
    "attachment_count" INTEGER NOT NULL,
    "content_size" BIGINT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'open',
    "refusal_reason" TEXT,
    "offered_at" TIMESTAMPTZ(3) NOT NULL,
    "offered_by" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),
    "ended_by" TEXT,

    CONSTRAINT "handovers_pkey" PRIMARY KEY ("id"),
    CHECK (from_municipality <> to_municipality),
    CHECK (status IN ('open', 'taken', 'refused', 'withdrawn', 'expired', 'void')),
    CHECK (refusal_reason IN ('not-our-case', 'have-it-already', 'other')),
    CHECK ((status = 'refused') = (refusal_reason IS NOT NULL)),
    CHECK ((status = 'taken') = (taken_message_id IS NOT NULL)),
    CHECK ((status = 'open') = (ended_at IS NULL)),
    CHECK ((status = 'open') = (ended_by IS NULL))
);
CREATE INDEX "handovers_from_municipality_id_idx" ON "handovers"("from_municipality", "id");
CREATE INDEX "handovers_to_municipality_id_idx" ON "handovers"("to_municipality", "id");
CREATE INDEX "handovers_message_id_idx" ON "handovers"("message_id");
CREATE INDEX "handovers_taken_message_id_idx" ON "handovers"("taken_message_id");
-- A message is offered once at a time, and taken once.
CREATE UNIQUE INDEX handovers_open_idx ON handovers (message_id) WHERE status = 'open';
CREATE UNIQUE INDEX handovers_taken_idx ON handovers (message_id) WHERE status = 'taken';
CREATE INDEX handovers_expiring_idx ON handovers (expires_at) WHERE status = 'open';

-- Both sides see the offer, ids, codes, times and counts only; no row of a message. The offering side makes it, both may end it.
ALTER TABLE handovers ENABLE ROW LEVEL SECURITY;
CREATE POLICY both_sides ON handovers FOR SELECT TO indbakke_app
  USING (current_setting('indbakke.municipality', true) IN (from_municipality, to_municipality));
CREATE POLICY offer ON handovers FOR INSERT TO indbakke_app
  WITH CHECK (from_municipality = current_setting('indbakke.municipality', true));
CREATE POLICY end_offer ON handovers FOR UPDATE TO indbakke_app
  USING (status = 'open' AND current_setting('indbakke.municipality', true) IN (from_municipality, to_municipality))
  WITH CHECK (current_setting('indbakke.municipality', true) IN (from_municipality, to_municipality));
GRANT SELECT, INSERT, UPDATE (status, refusal_reason, taken_message_id, ended_at, ended_by) ON handovers TO indbakke_app;
CREATE POLICY sweep ON handovers FOR SELECT TO indbakke_worker USING (true);
GRANT SELECT (id, from_municipality, message_id, status, expires_at) ON handovers TO indbakke_worker;
