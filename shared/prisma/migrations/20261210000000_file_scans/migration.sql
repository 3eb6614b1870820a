-- AlterTable
ALTER TABLE "files" ADD COLUMN     "scan" TEXT,
ADD COLUMN     "scan_attempts" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "scan_finding" TEXT;

-- CreateTable
CREATE TABLE "message_scans" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "message_id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "fault" TEXT,
    "run" INTEGER NOT NULL DEFAULT 0,
    "next_enqueue_at" TIMESTAMPTZ(3) NOT NULL,
    "trace" TEXT,

    CONSTRAINT "message_scans_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "message_scans_message_id_key" ON "message_scans"("message_id");

-- CreateIndex
CREATE INDEX "message_scans_next_enqueue_at_idx" ON "message_scans"("next_enqueue_at");

-- AddForeignKey
ALTER TABLE "message_scans" ADD CONSTRAINT "message_scans_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "messages"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE files
  ADD CHECK (scan IN ('waiting', 'let-pass', 'clean', 'infected', 'unscannable')) NOT VALID;
GRANT UPDATE (scan, scan_finding, scan_attempts) ON files TO indbakke_app;

ALTER TABLE message_scans ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON message_scans TO indbakke_app USING (municipality = current_setting('indbakke.municipality', true));
CREATE POLICY limits ON message_scans AS RESTRICTIVE FOR SELECT TO indbakke_app
USING (CASE WHEN coalesce(current_setting('indbakke.limits', true), '') = '' THEN true WHEN is_in_sight(message_id) THEN true END IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON message_scans TO indbakke_app;

-- Sweeps enqueue what is due; operators see what waits.
CREATE POLICY sweep ON message_scans TO indbakke_worker USING (true);
GRANT SELECT, UPDATE (run, next_enqueue_at) ON message_scans TO indbakke_worker;

-- A message that is not scanned yet is told as left out of a zip.
ALTER TABLE zip_download_messages
  DROP CONSTRAINT zip_download_messages_left_out_check,
  ADD CHECK (left_out IN ('not-found', 'content-gone', 'content-damaged', 'file-held')) NOT VALID;

SELECT scrub.prepare();
