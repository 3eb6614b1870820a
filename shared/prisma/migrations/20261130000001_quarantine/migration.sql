-- Deliveries that could not be read, as they came, sealed. They are of the installation: whose they are cannot be told.

CREATE TABLE "quarantine_entries" (
    "id" UUID NOT NULL,
    "content_hash" BYTEA NOT NULL,
    "reason" TEXT NOT NULL,
    "path" TEXT,
    "endpoint" TEXT NOT NULL CHECK (endpoint IN ('rest', 'soap')),
    "caller" TEXT NOT NULL,
    "message_uuid" UUID,
    "size" BIGINT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'kept' CHECK (status IN ('kept', 'answer-accepted')),
    "count" INTEGER NOT NULL DEFAULT 1,
    "first_at" TIMESTAMPTZ(3) NOT NULL,
    "last_at" TIMESTAMPTZ(3) NOT NULL,
    "accepted_at" TIMESTAMPTZ(3),
    "accepted_by" TEXT,
    "accepted_count" INTEGER NOT NULL DEFAULT 0,
    "transmission_id" UUID NOT NULL,
    "blob_name" TEXT,
    "container" BYTEA,
    "key_id" TEXT,
    "wrapped_key" BYTEA,

    CONSTRAINT "quarantine_entries_pkey" PRIMARY KEY ("id"),
    CHECK ((status = 'answer-accepted') = (accepted_at IS NOT NULL AND accepted_by IS NOT NULL)),
    CHECK (blob_name IS NULL OR container IS NULL),
    CHECK ((key_id IS NOT NULL AND wrapped_key IS NOT NULL) = (blob_name IS NOT NULL OR container IS NOT NULL))
);
CREATE UNIQUE INDEX "quarantine_entries_content_hash_reason_key" ON "quarantine_entries"("content_hash", "reason");
CREATE INDEX "quarantine_entries_message_uuid_idx" ON "quarantine_entries"("message_uuid");
CREATE INDEX "quarantine_entries_last_at_idx" ON "quarantine_entries"("last_at");
CREATE INDEX quarantine_entries_blob_name_idx ON quarantine_entries (blob_name) WHERE blob_name IS NOT NULL;
-- It is encrypted: compressing it takes time and saves nothing.
ALTER TABLE quarantine_entries ALTER container SET STORAGE EXTERNAL;

-- A transaction is bound to one municipality, or to the installation. No token of a municipality can be bound to that: it is no
-- CVR number.
ALTER TABLE quarantine_entries ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON quarantine_entries TO indbakke_app USING (current_setting('indbakke.municipality', true) = 'installation');
GRANT SELECT, INSERT, UPDATE, DELETE ON quarantine_entries TO indbakke_app;

-- Sweeps remove what is old, count, and ask which content is in use.
CREATE POLICY sweep ON quarantine_entries TO indbakke_worker USING (true);
GRANT SELECT (id, status, count, size, last_at, blob_name, key_id), DELETE ON quarantine_entries TO indbakke_worker;

-- The master keys of the oldest and the newest content, and of what there is little of.
CREATE OR REPLACE FUNCTION master_keys_in_use() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  (SELECT key_id FROM message_keys ORDER BY message_id LIMIT 1)
  UNION
  (SELECT key_id FROM message_keys ORDER BY message_id DESC LIMIT 1)
  UNION
  (SELECT key_id FROM extracts ORDER BY id LIMIT 1)
  UNION
  (SELECT key_id FROM extracts ORDER BY id DESC LIMIT 1)
  UNION
  (SELECT key_id FROM extract_files ORDER BY id LIMIT 1)
  UNION
  (SELECT key_id FROM extract_files ORDER BY id DESC LIMIT 1)
  UNION
  SELECT key FROM access_packages, unnest(ARRAY[request_key_id, key_id]) AS key WHERE key IS NOT NULL
  UNION
  SELECT key FROM webhooks, unnest(ARRAY[secret_key_id, previous_secret_key_id]) AS key WHERE key IS NOT NULL
  UNION
  SELECT key_id FROM quarantine_entries WHERE key_id IS NOT NULL
$$;
