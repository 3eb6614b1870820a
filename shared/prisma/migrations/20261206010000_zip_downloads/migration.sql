-- Many messages in one sealed zip, for the one who asked for it.
CREATE TABLE "zip_downloads" (
    "id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "owner_kind" TEXT NOT NULL CHECK (owner_kind IN ('user', 'system')),
    "owner" TEXT NOT NULL,
    "on_behalf_of" TEXT,
    "roles" TEXT[],
    "teams" TEXT[],
    "constraints" JSONB NOT NULL DEFAULT '{}',
    "include" TEXT[] CHECK (include <@ ARRAY['cover', 'technical', 'original']),
    "cover" TEXT CHECK (cover IN ('masked', 'full')),
    "status" TEXT NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'running', 'ready', 'failed', 'cancelled')),
    "requested_at" TIMESTAMPTZ(3) NOT NULL,
    "ready_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "handed_out_at" TIMESTAMPTZ(3),
    "files_size" BIGINT NOT NULL,
    "bytes_done" BIGINT NOT NULL DEFAULT 0,
    "messages_done" INTEGER NOT NULL DEFAULT 0,
    "content_size" BIGINT,
    "sha256" BYTEA,
    "blob_name" TEXT,
    "container" BYTEA,
    "key_id" TEXT,
    "wrapped_key" BYTEA,
    "run" INTEGER NOT NULL DEFAULT 0,
    "next_enqueue_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "zip_downloads_pkey" PRIMARY KEY ("id"),
    CHECK ((status = 'ready') = (sha256 IS NOT NULL)),
    CHECK ((status = 'ready') = (key_id IS NOT NULL))
);

CREATE TABLE "zip_download_messages" (
    "zip_id" UUID NOT NULL,
    "message_id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "left_out" TEXT CHECK (left_out IN ('not-found', 'content-gone', 'content-damaged')),

    CONSTRAINT "zip_download_messages_pkey" PRIMARY KEY ("zip_id","message_id")
);

CREATE INDEX "zip_downloads_municipality_owner_kind_owner_idx" ON "zip_downloads"("municipality", "owner_kind", "owner");

CREATE INDEX "zip_downloads_expires_at_idx" ON "zip_downloads"("expires_at");

CREATE INDEX "zip_download_messages_message_id_idx" ON "zip_download_messages"("message_id");

ALTER TABLE "zip_download_messages" ADD CONSTRAINT "zip_download_messages_zip_id_fkey" FOREIGN KEY ("zip_id") REFERENCES "zip_downloads"("id") ON DELETE CASCADE ON UPDATE CASCADE;
CREATE INDEX zip_downloads_due_idx ON zip_downloads (next_enqueue_at) WHERE status IN ('waiting', 'running');
CREATE INDEX zip_downloads_blob_name_idx ON zip_downloads (blob_name) WHERE blob_name IS NOT NULL;
ALTER TABLE zip_downloads ALTER container SET STORAGE EXTERNAL;

DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['zip_downloads', 'zip_download_messages'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant ON %I TO indbakke_app USING (municipality = current_setting(''indbakke.municipality'', true))', t);
  END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON zip_downloads TO indbakke_app;
GRANT SELECT, INSERT, UPDATE (left_out) ON zip_download_messages TO indbakke_app;

-- Sweeps enqueue what is due, remove what has expired, and ask which content is in use.
CREATE POLICY sweep ON zip_downloads TO indbakke_worker USING (true);
GRANT SELECT (id, municipality, status, run, next_enqueue_at, expires_at, blob_name), UPDATE (run, next_enqueue_at), DELETE ON zip_downloads TO indbakke_worker;

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
  UNION
  SELECT key_id FROM zip_downloads WHERE key_id IS NOT NULL
$$;
