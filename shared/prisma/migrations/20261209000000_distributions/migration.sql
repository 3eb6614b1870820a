-- AlterTable
ALTER TABLE "messages" ADD COLUMN     "kle" TEXT;

-- AlterTable
ALTER TABLE "message_details" ADD COLUMN     "exemption" JSONB,
ADD COLUMN     "parties" JSONB NOT NULL DEFAULT '[]',
ADD COLUMN     "reason_for_sender" TEXT;

-- CreateTable
CREATE TABLE "distributions" (
    "message_id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "object_type" TEXT NOT NULL,
    "object_id" UUID NOT NULL,
    "transaction_id" UUID NOT NULL,
    "distribution_id" UUID,
    "sender" TEXT NOT NULL,
    "routing_kle" TEXT,
    "routing_facet" TEXT,
    "routing_actor" UUID,

    CONSTRAINT "distributions_pkey" PRIMARY KEY ("message_id")
);

-- CreateTable
CREATE TABLE "file_fetches" (
    "id" UUID NOT NULL,
    "message_id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "name_digest" BYTEA NOT NULL,
    "is_cleared" BOOLEAN NOT NULL DEFAULT false,
    "modified_at" TIMESTAMPTZ(3),
    "status" TEXT NOT NULL DEFAULT 'waiting',
    "since" TIMESTAMPTZ(3) NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "fault" TEXT,
    "run" INTEGER NOT NULL DEFAULT 1,
    "next_enqueue_at" TIMESTAMPTZ(3) NOT NULL,
    "trace" TEXT,

    CONSTRAINT "file_fetches_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "business_receipts" (
    "id" UUID NOT NULL,
    "message_id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'waiting',
    "at" TIMESTAMPTZ(3) NOT NULL,
    "sent_at" TIMESTAMPTZ(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "fault" TEXT,
    "run" INTEGER NOT NULL DEFAULT 0,
    "next_enqueue_at" TIMESTAMPTZ(3) NOT NULL,
    "trace" TEXT,

    CONSTRAINT "business_receipts_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "file_fetches_message_id_idx" ON "file_fetches"("message_id");

-- CreateIndex
CREATE INDEX "business_receipts_message_id_at_idx" ON "business_receipts"("message_id", "at");

-- AddForeignKey
ALTER TABLE "distributions" ADD CONSTRAINT "distributions_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "messages"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "file_fetches" ADD CONSTRAINT "file_fetches_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "distributions"("message_id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "business_receipts" ADD CONSTRAINT "business_receipts_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "distributions"("message_id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE distributions ADD CHECK (object_type IN ('DOKUMENT', 'JOURNALPOST', 'FORMULAR'));
ALTER TABLE file_fetches ADD CHECK (status IN ('waiting', 'stored', 'done', 'given-up'));
ALTER TABLE business_receipts
  ADD CHECK (code IN ('ACCEPTERET', 'AFVIST', 'FEJLET')),
  ADD CHECK (status IN ('waiting', 'sending', 'sent', 'withdrawn', 'in-doubt')),
  ADD CHECK ((status = 'sent') = (sent_at IS NOT NULL));
CREATE INDEX file_fetches_due_idx ON file_fetches (next_enqueue_at) WHERE status IN ('waiting', 'stored');
CREATE INDEX file_fetches_name_idx ON file_fetches (name_digest) WHERE status <> 'done';
CREATE INDEX file_fetches_open_idx ON file_fetches (since, id) WHERE status <> 'done';
CREATE INDEX business_receipts_due_idx ON business_receipts (next_enqueue_at) WHERE status IN ('waiting', 'sending');

-- New words of closed sets.
ALTER TABLE message_details
  DROP CONSTRAINT message_details_original_format_check, ADD CHECK (original_format IN ('memo', 'sf2900')) NOT VALID;
ALTER TABLE reply_references
  DROP CONSTRAINT reply_references_kind_check,
  ADD CHECK (kind IN ('message-uuid', 'message-id', 'case-id', 'sag-forslag')) NOT VALID;
ALTER TABLE quarantine_entries DROP CONSTRAINT quarantine_entries_endpoint_check, ADD CHECK (endpoint IN ('rest', 'soap', 'sf2900'));

ALTER TABLE distributions ENABLE ROW LEVEL SECURITY;
ALTER TABLE file_fetches ENABLE ROW LEVEL SECURITY;
ALTER TABLE business_receipts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON distributions TO indbakke_app USING (municipality = current_setting('indbakke.municipality', true));
CREATE POLICY tenant ON file_fetches TO indbakke_app USING (municipality = current_setting('indbakke.municipality', true));
CREATE POLICY tenant ON business_receipts TO indbakke_app USING (municipality = current_setting('indbakke.municipality', true));
GRANT SELECT, INSERT ON distributions TO indbakke_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON file_fetches TO indbakke_app;
GRANT SELECT, INSERT, UPDATE ON business_receipts TO indbakke_app;
-- A file that comes later.
GRANT UPDATE (status, size, sha256, crc32, detected_format, container_index, container_offset) ON files TO indbakke_app;
GRANT UPDATE (content_size, has_media) ON messages TO indbakke_app;

-- Sweeps enqueue what is due; operators see what waits, and why.
CREATE POLICY sweep ON file_fetches TO indbakke_worker USING (true);
CREATE POLICY sweep ON distributions FOR SELECT TO indbakke_worker USING (true);
GRANT SELECT (message_id, object_id, sender) ON distributions TO indbakke_worker;
CREATE POLICY sweep ON business_receipts TO indbakke_worker USING (true);
GRANT SELECT (id, message_id, municipality, name_digest, is_cleared, status, since, attempts, fault, run, next_enqueue_at, trace),
  UPDATE (run, next_enqueue_at) ON file_fetches TO indbakke_worker;
GRANT SELECT (id, message_id, municipality, code, status, at, sent_at, attempts, fault, run, next_enqueue_at, trace),
  UPDATE (run, next_enqueue_at) ON business_receipts TO indbakke_worker;

-- A document says itself what it is about. So it is held against data constraints like a contact point, by its KLE number and all
-- those above it: of the contact points within some sets, those that name a KLE number alone let such a document through, as
-- `kle:27.24`.
CREATE FUNCTION kle_keys(kle text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT array_agg('kle:' || array_to_string((string_to_array(kle, '.'))[1:n], '.'))
  FROM generate_series(1, cardinality(string_to_array(kle, '.'))) AS n
$$;
CREATE OR REPLACE FUNCTION contact_points_within(tenant text, sets jsonb) RETURNS text[] LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = public AS $$
BEGIN
  RETURN ARRAY(
    SELECT p.contact_point_id
    FROM contact_points p, regexp_replace(upper(btrim(p.kle)), '[\s.-]+', '.', 'g') AS number
    WHERE p.municipality = tenant AND NOT starts_with(p.contact_point_id, 'kle:') AND EXISTS (
      SELECT FROM jsonb_array_elements(sets) AS s
      WHERE s - '{kle,orgUnit,sensitivity,itSystem}'::text[] = '{}'
        AND (s->'kle' IS NULL OR EXISTS (
          SELECT FROM jsonb_array_elements_text(s->'kle') AS k WHERE number = k OR starts_with(number, k || '.')))
        AND (s->'orgUnit' IS NULL OR s->'orgUnit' ? p.org_unit)
        AND (s->'sensitivity' IS NULL OR s->'sensitivity' ? lower(p.sensitivity))
        AND (s->'itSystem' IS NULL OR s->'itSystem' ? p.it_system))
    UNION ALL
    SELECT 'kle:' || k FROM jsonb_array_elements(sets) AS s, jsonb_array_elements_text(s->'kle') AS k WHERE s - 'kle' = '{}');
END $$;

-- The policies of data constraints (limits), with documents in them.
CREATE OR REPLACE FUNCTION is_in_sight(message uuid) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
COST 1 SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM messages WHERE id = message AND municipality = current_setting('indbakke.municipality', true)
      AND (status IN ('held', 'deleted') OR coalesce(status_before = 'held', false)
        OR coalesce(strpos(current_setting('indbakke.limits', true), E'\n' || contact_point_id || E'\n') > 0,
          string_to_array(current_setting('indbakke.limits', true), E'\n') && kle_keys(kle), false)));
END $$;
DROP POLICY limits ON messages;
CREATE POLICY limits ON messages AS RESTRICTIVE FOR SELECT TO indbakke_app
USING (CASE WHEN coalesce(current_setting('indbakke.limits', true), '') = '' THEN true
  WHEN status IN ('held', 'deleted') OR coalesce(status_before = 'held', false)
    OR coalesce(strpos(current_setting('indbakke.limits', true), E'\n' || contact_point_id || E'\n') > 0,
      string_to_array(current_setting('indbakke.limits', true), E'\n') && kle_keys(kle), false) THEN true END IS NOT NULL);
CREATE POLICY limits ON distributions AS RESTRICTIVE FOR SELECT TO indbakke_app
USING (CASE WHEN coalesce(current_setting('indbakke.limits', true), '') = '' THEN true WHEN is_in_sight(message_id) THEN true END IS NOT NULL);

SELECT scrub.prepare();
