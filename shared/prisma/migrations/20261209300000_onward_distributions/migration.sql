-- CreateTable
CREATE TABLE "onward_distributions" (
    "id" UUID NOT NULL,
    "message_id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "recipient" TEXT NOT NULL,
    "kle" TEXT NOT NULL,
    "facet" TEXT,
    "receiver" UUID,
    "status" TEXT NOT NULL DEFAULT 'waiting',
    "at" TIMESTAMPTZ(3) NOT NULL,
    "asked_by" TEXT NOT NULL,
    "technical_code" TEXT,
    "business_code" TEXT,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "fault" TEXT,
    "run" INTEGER NOT NULL DEFAULT 0,
    "next_enqueue_at" TIMESTAMPTZ(3) NOT NULL,
    "trace" TEXT,

    CONSTRAINT "onward_distributions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "onward_distribution_texts" (
    "distribution_id" UUID NOT NULL,
    "message_id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "title" TEXT,
    "technical_reason" TEXT,
    "business_reason" TEXT,

    CONSTRAINT "onward_distribution_texts_pkey" PRIMARY KEY ("distribution_id")
);

-- CreateIndex
CREATE INDEX "onward_distributions_message_id_at_idx" ON "onward_distributions"("message_id", "at");

-- CreateIndex
CREATE INDEX "onward_distribution_texts_message_id_idx" ON "onward_distribution_texts"("message_id");

-- AddForeignKey
ALTER TABLE "onward_distributions" ADD CONSTRAINT "onward_distributions_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "messages"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "onward_distribution_texts" ADD CONSTRAINT "onward_distribution_texts_distribution_id_fkey" FOREIGN KEY ("distribution_id") REFERENCES "onward_distributions"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE onward_distributions
  ADD CHECK (status IN ('waiting', 'uploaded', 'sent', 'accepted', 'rejected', 'failed')),
  ADD CHECK (technical_code IN ('MODTAGET', 'AFLEVERET', 'ACCEPTERET', 'AFVIST', 'FEJLET')),
  ADD CHECK (business_code IN ('MODTAGET', 'AFLEVERET', 'ACCEPTERET', 'AFVIST', 'FEJLET'));
CREATE INDEX onward_distributions_due_idx ON onward_distributions (next_enqueue_at) WHERE status IN ('waiting', 'uploaded');

ALTER TABLE onward_distributions ENABLE ROW LEVEL SECURITY;
ALTER TABLE onward_distribution_texts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON onward_distributions TO indbakke_app USING (municipality = current_setting('indbakke.municipality', true));
CREATE POLICY tenant ON onward_distribution_texts TO indbakke_app USING (municipality = current_setting('indbakke.municipality', true));
CREATE POLICY limits ON onward_distributions AS RESTRICTIVE FOR SELECT TO indbakke_app
USING (CASE WHEN coalesce(current_setting('indbakke.limits', true), '') = '' THEN true WHEN is_in_sight(message_id) THEN true END IS NOT NULL);
CREATE POLICY limits ON onward_distribution_texts AS RESTRICTIVE FOR SELECT TO indbakke_app
USING (CASE WHEN coalesce(current_setting('indbakke.limits', true), '') = '' THEN true WHEN is_in_sight(message_id) THEN true END IS NOT NULL);
GRANT SELECT, INSERT ON onward_distributions TO indbakke_app;
GRANT UPDATE (status, technical_code, business_code, attempts, fault, next_enqueue_at) ON onward_distributions TO indbakke_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON onward_distribution_texts TO indbakke_app;

-- Sweeps enqueue what is due.
CREATE POLICY sweep ON onward_distributions TO indbakke_worker USING (true);
GRANT SELECT (id, message_id, municipality, status, at, attempts, fault, run, next_enqueue_at, trace),
  UPDATE (run, next_enqueue_at) ON onward_distributions TO indbakke_worker;

SELECT scrub.prepare();
