-- The ledger is in files outside the database; here is what is in which, and what was found not to be as it says. Ids, codes,
-- counts and times only.
CREATE TABLE "ledger_files" (
    "name" TEXT NOT NULL,
    "first_line" INTEGER NOT NULL,
    "last_line" INTEGER NOT NULL,
    "last_seal" BYTEA NOT NULL,
    "database" TEXT,

    CONSTRAINT "ledger_files_pkey" PRIMARY KEY ("name"),
    CHECK (last_line >= first_line)
);

CREATE TABLE "ledger_days" (
    "municipality" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "file" TEXT NOT NULL,
    "received" INTEGER NOT NULL,
    "fates" JSONB NOT NULL,
    "made_at" TIMESTAMPTZ(3) NOT NULL,
    "event_position" BIGINT NOT NULL,
    "checked_at" TIMESTAMPTZ(3),
    "check_began_at" TIMESTAMPTZ(3),
    "check_after" UUID,

    CONSTRAINT "ledger_days_pkey" PRIMARY KEY ("municipality", "day")
);

CREATE TABLE "ledger_differences" (
    "municipality" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "day" DATE,
    "external_id" TEXT,
    "found_at" TIMESTAMPTZ(3) NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL,
    "accepted_at" TIMESTAMPTZ(3),
    "accepted_by" TEXT,

    CONSTRAINT "ledger_differences_pkey" PRIMARY KEY ("municipality", "kind", "subject"),
    CHECK (kind IN ('gone', 'not-counted', 'altered', 'incomplete', 'content-missing', 'content-damaged', 'key-missing',
      'line-forged', 'line-missing', 'restored')),
    CHECK ((accepted_at IS NULL) = (accepted_by IS NULL))
);
CREATE INDEX "ledger_differences_municipality_day_idx" ON "ledger_differences"("municipality", "day");

ALTER TABLE ledger_days ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON ledger_days TO indbakke_app USING (municipality = current_setting('indbakke.municipality', true));
ALTER TABLE ledger_differences ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON ledger_differences TO indbakke_app USING (municipality = current_setting('indbakke.municipality', true));
GRANT SELECT ON ledger_days, ledger_differences TO indbakke_app;

CREATE POLICY sweep ON ledger_days TO indbakke_worker USING (true);
CREATE POLICY sweep ON ledger_differences TO indbakke_worker USING (true);
GRANT SELECT, INSERT ON ledger_files TO indbakke_worker;
GRANT SELECT, INSERT, UPDATE (checked_at, check_began_at, check_after) ON ledger_days TO indbakke_worker;
GRANT SELECT, INSERT, UPDATE (seen_at, accepted_at, accepted_by), DELETE ON ledger_differences TO indbakke_worker;
