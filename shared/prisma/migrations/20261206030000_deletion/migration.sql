-- Deletion that another person confirms, or that can be undone for some days; and legal holds, which stop it.
ALTER TABLE municipalities
  ADD COLUMN deletion_needs_two BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN deletion_delay_days INTEGER NOT NULL DEFAULT 0 CHECK (deletion_delay_days BETWEEN 0 AND 14);

-- Of a rejected message whose deletion waits for a person, or for its due time; else all null.
ALTER TABLE messages
  ADD COLUMN deletion_requested_at TIMESTAMPTZ(3),
  ADD COLUMN deletion_requested_by TEXT,
  ADD COLUMN deletion_confirmed_by TEXT,
  ADD COLUMN deletion_sent_on BOOLEAN,
  ADD COLUMN deletion_sender_informed BOOLEAN,
  ADD COLUMN deletion_due_at TIMESTAMPTZ(3),
  ADD CHECK (deletion_requested_at IS NULL OR status = 'rejected'),
  ADD CHECK (deletion_due_at IS NULL OR (deletion_requested_at IS NOT NULL AND NOT legal_hold));
CREATE INDEX messages_deletion_requested_idx ON messages (municipality, status, received_at, id) WHERE deletion_requested_at IS NOT NULL;
CREATE INDEX messages_deletion_due_idx ON messages (deletion_due_at) WHERE deletion_due_at IS NOT NULL;
CREATE INDEX messages_legal_hold_idx ON messages (municipality, status, received_at, id) WHERE legal_hold;
GRANT SELECT (deletion_due_at) ON messages TO indbakke_worker;
GRANT UPDATE (deletion_needs_two, deletion_delay_days) ON municipalities TO indbakke_app;

-- CreateTable
CREATE TABLE "legal_holds" (
    "id" UUID NOT NULL,
    "message_id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "set_at" TIMESTAMPTZ(3) NOT NULL,
    "set_by" TEXT NOT NULL,
    "lifted_at" TIMESTAMPTZ(3),
    "lifted_by" TEXT,
    "lifted_reason" TEXT,

    CONSTRAINT "legal_holds_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "legal_holds_message_id_set_at_idx" ON "legal_holds"("message_id", "set_at");

-- AddForeignKey
ALTER TABLE "legal_holds" ADD CONSTRAINT "legal_holds_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "messages"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE legal_holds ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON legal_holds TO indbakke_app USING (municipality = current_setting('indbakke.municipality', true));
GRANT SELECT, INSERT, DELETE, UPDATE (lifted_at, lifted_by, lifted_reason) ON legal_holds TO indbakke_app;
