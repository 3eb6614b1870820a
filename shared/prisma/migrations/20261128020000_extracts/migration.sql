-- Saved searches that are made into files at set times. What is personal is sealed; the columns here are ids, times and sizes.

CREATE TABLE "extract_owners" (
    "municipality" TEXT NOT NULL,
    "owner_kind" TEXT NOT NULL CHECK (owner_kind IN ('user', 'system')),
    "owner" TEXT NOT NULL,
    "roles" TEXT[],
    "teams" TEXT[],
    "seen_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "extract_owners_pkey" PRIMARY KEY ("municipality", "owner_kind", "owner")
);

CREATE TABLE "extracts" (
    "id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "owner_kind" TEXT NOT NULL CHECK (owner_kind IN ('user', 'system')),
    "owner" TEXT NOT NULL,
    "container" BYTEA NOT NULL,
    "content_size" INTEGER NOT NULL,
    "key_id" TEXT NOT NULL,
    "wrapped_key" BYTEA NOT NULL,
    "every" TEXT NOT NULL CHECK (every IN ('day', 'working-day', 'week')),
    "weekday" TEXT CHECK (weekday IN ('monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday')),
    "at_time" TEXT NOT NULL,
    "keep_days" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "next_run_at" TIMESTAMPTZ(3) NOT NULL,
    "run" INTEGER NOT NULL DEFAULT 1,
    "next_enqueue_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "extracts_pkey" PRIMARY KEY ("id"),
    CHECK ((every = 'week') = (weekday IS NOT NULL))
);
CREATE INDEX "extracts_municipality_owner_kind_owner_idx" ON "extracts"("municipality", "owner_kind", "owner");
CREATE INDEX "extracts_next_enqueue_at_idx" ON "extracts"("next_enqueue_at");

CREATE TABLE "extract_files" (
    "id" UUID NOT NULL,
    "extract_id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "due_at" TIMESTAMPTZ(3) NOT NULL,
    "made_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "row_count" INTEGER NOT NULL,
    "is_truncated" BOOLEAN NOT NULL,
    "roles" TEXT[],
    "teams" TEXT[],
    "content_size" BIGINT NOT NULL,
    "sha256" BYTEA NOT NULL,
    "blob_name" TEXT,
    "container" BYTEA,
    "key_id" TEXT NOT NULL,
    "wrapped_key" BYTEA NOT NULL,

    CONSTRAINT "extract_files_pkey" PRIMARY KEY ("id"),
    CHECK ((blob_name IS NULL) <> (container IS NULL))
);
-- Each due time has one file, however many make it.
CREATE UNIQUE INDEX "extract_files_extract_id_due_at_key" ON "extract_files"("extract_id", "due_at");
CREATE INDEX "extract_files_expires_at_idx" ON "extract_files"("expires_at");
CREATE INDEX extract_files_blob_name_idx ON extract_files (blob_name) WHERE blob_name IS NOT NULL;
ALTER TABLE "extract_files" ADD CONSTRAINT "extract_files_extract_id_fkey" FOREIGN KEY ("extract_id") REFERENCES "extracts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Which messages a file has: it goes when one of them is deleted for good.
CREATE TABLE "extract_file_messages" (
    "file_id" UUID NOT NULL,
    "message_id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,

    CONSTRAINT "extract_file_messages_pkey" PRIMARY KEY ("file_id", "message_id")
);
CREATE INDEX "extract_file_messages_message_id_idx" ON "extract_file_messages"("message_id");
ALTER TABLE "extract_file_messages" ADD CONSTRAINT "extract_file_messages_file_id_fkey" FOREIGN KEY ("file_id") REFERENCES "extract_files"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- It is encrypted: compressing it takes time and saves nothing.
ALTER TABLE extract_files ALTER container SET STORAGE EXTERNAL;

DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['extract_owners', 'extracts', 'extract_files', 'extract_file_messages'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant ON %I TO indbakke_app USING (municipality = current_setting(''indbakke.municipality'', true))', t);
  END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE ON extract_owners TO indbakke_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON extracts TO indbakke_app;
GRANT SELECT, INSERT, DELETE ON extract_files, extract_file_messages TO indbakke_app;

-- Sweeps enqueue what is due, remove what has expired, and ask which content is in use.
CREATE POLICY sweep ON extracts TO indbakke_worker USING (true);
GRANT SELECT (id, municipality, run, next_enqueue_at), UPDATE (run, next_enqueue_at) ON extracts TO indbakke_worker;
CREATE POLICY sweep ON extract_files TO indbakke_worker USING (true);
GRANT SELECT (id, municipality, expires_at, blob_name), DELETE ON extract_files TO indbakke_worker;
GRANT INSERT ON content_removals TO indbakke_worker;

-- The master keys of the oldest and the newest content, of messages and of extracts.
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
$$;
