-- The change feed, webhooks, and an audit log that is numbered, chained and answers for a citizen.

-- One numberer gives committed events and audit rows their position, by municipality and without gaps from 1 on. The row here has
-- the last ones given, and the hash that the next audit row is chained to.
CREATE TABLE "feed_heads" (
    "municipality" TEXT NOT NULL,
    "event_position" BIGINT NOT NULL DEFAULT 0,
    "oldest_event_position" BIGINT NOT NULL DEFAULT 1,
    "audit_position" BIGINT NOT NULL DEFAULT 0,
    "audit_hash" BYTEA,

    CONSTRAINT "feed_heads_pkey" PRIMARY KEY ("municipality")
);

-- A message has one event a version. What is not numbered yet is small, whatever the table grows to; and what gets a position is
-- in no index of positions before.
ALTER TABLE events DROP CONSTRAINT events_pkey, ADD CONSTRAINT events_pkey PRIMARY KEY (message_id, version);
DROP INDEX "events_message_id_version_idx";
DROP INDEX "events_municipality_position_idx";
CREATE UNIQUE INDEX events_position_idx ON events (municipality, position) WHERE position IS NOT NULL;
CREATE INDEX events_unnumbered_idx ON events (at) WHERE position IS NULL;
-- The numberer reads past what is dead of that index.
ALTER TABLE events SET (autovacuum_vacuum_scale_factor = 0.05);

ALTER TABLE audit_events
  ADD role text,
  ADD origin text,
  ADD result text NOT NULL DEFAULT 'done',
  ADD citizen bytea;
UPDATE audit_events SET result = details->>'code', details = details - 'code' WHERE action = 'refused' AND details ? 'code';
CREATE INDEX audit_events_unnumbered_idx ON audit_events (at, id) WHERE position IS NULL;
CREATE INDEX audit_events_position_idx ON audit_events (municipality, position) WHERE position IS NOT NULL;
-- Intake and suggestions write most rows and are nobody’s: they are in no index of persons or actions.
CREATE INDEX audit_events_user_idx ON audit_events (municipality, actor, at, id) WHERE actor_kind = 'user';
CREATE INDEX audit_events_on_behalf_of_idx ON audit_events (municipality, on_behalf_of, at, id) WHERE on_behalf_of IS NOT NULL;
CREATE INDEX audit_events_action_idx ON audit_events (municipality, action, at, id) WHERE action NOT IN ('accepted', 'suggested');
DROP INDEX "audit_events_municipality_message_id_at_idx";
CREATE INDEX audit_events_message_idx ON audit_events (municipality, message_id, at, id) WHERE message_id IS NOT NULL;
DROP INDEX "audit_events_municipality_at_idx";
CREATE INDEX "audit_events_municipality_at_id_idx" ON "audit_events"("municipality", "at", "id");
CREATE INDEX audit_events_citizen_idx ON audit_events (municipality, citizen, at, id) WHERE citizen IS NOT NULL;

-- Whom and which case the letters are about, as long as the log has rows of them, after their deletion too: citizens as keyed
-- hashes (shared/src/keys, digestOfParty), in hexadecimal.
CREATE TABLE "message_subjects" (
    "municipality" TEXT NOT NULL,
    "kind" TEXT NOT NULL CHECK (kind IN ('citizen', 'case')),
    "key" TEXT NOT NULL,
    "message_id" UUID NOT NULL,

    CONSTRAINT "message_subjects_pkey" PRIMARY KEY ("municipality", "kind", "key", "message_id")
);
CREATE INDEX "message_subjects_message_id_idx" ON "message_subjects"("message_id");

-- The messages from before this: their cases, with the parties that the core has registered …
INSERT INTO message_subjects (municipality, kind, key, message_id)
SELECT filed.municipality, s.kind, s.key, filed.message_id
FROM (
  SELECT municipality, id, suggested_case_id FROM messages WHERE suggested_case_id IS NOT NULL
  UNION SELECT municipality, message_id, case_id FROM journalizations
) AS filed (municipality, message_id, case_id)
LEFT JOIN cases c ON c.municipality = filed.municipality AND c.case_id = filed.case_id
CROSS JOIN LATERAL (
  SELECT 'case', filed.case_id UNION ALL SELECT 'citizen', encode(party, 'hex') FROM unnest(c.party_digests) AS party
) AS s (kind, key)
ON CONFLICT DO NOTHING;
-- … and those whose sender and concerned person the journaler hashes when it runs, since the key is not here.
CREATE TABLE "unhashed_messages" (
    "message_id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,

    CONSTRAINT "unhashed_messages_pkey" PRIMARY KEY ("message_id")
);
INSERT INTO unhashed_messages (message_id, municipality) SELECT DISTINCT message_id, municipality FROM message_parties;
-- The tombstones, whose subjects go with their log.
CREATE INDEX messages_deleted_idx ON messages (municipality, id) WHERE status = 'deleted';

-- When the message says that it was sent, also when that is not plausible.
ALTER TABLE messages ADD sent_at timestamptz(3);

-- Rows of the chain that went with their month, as ranges of positions: the hash of the last one is where the chain goes on, and
-- the seal is a keyed hash of the other columns.
CREATE TABLE "audit_anchors" (
    "municipality" TEXT NOT NULL,
    "first_position" BIGINT NOT NULL,
    "last_position" BIGINT NOT NULL CHECK (last_position >= first_position),
    "last_hash" BYTEA NOT NULL,
    "month" TEXT NOT NULL,
    "seal" BYTEA NOT NULL,

    CONSTRAINT "audit_anchors_pkey" PRIMARY KEY ("municipality", "first_position")
);

CREATE TABLE "webhooks" (
    "id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "event_types" TEXT[],
    "status" TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
    "disabled_cause" TEXT CHECK (disabled_cause IN ('by-caller', 'failing', 'gone')),
    "secret" BYTEA NOT NULL,
    "secret_key_id" TEXT NOT NULL,
    "previous_secret" BYTEA,
    "previous_secret_key_id" TEXT,
    "previous_secret_until" TIMESTAMPTZ(3),
    "position" BIGINT NOT NULL,
    "failing_since" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "enabled_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "webhooks_pkey" PRIMARY KEY ("id"),
    CHECK ((status = 'disabled') = (disabled_cause IS NOT NULL))
);
CREATE INDEX "webhooks_municipality_idx" ON "webhooks"("municipality");

-- The body is kept as text, so that each attempt sends the same bytes.
CREATE TABLE "webhook_deliveries" (
    "webhook_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "body" JSON NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'delivered', 'failed')),
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "give_up_at" TIMESTAMPTZ(3) NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "run" INTEGER NOT NULL DEFAULT 0,
    "is_taken" BOOLEAN NOT NULL DEFAULT false,
    "next_enqueue_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "webhook_deliveries_pkey" PRIMARY KEY ("webhook_id","id")
);
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_webhook_id_fkey" FOREIGN KEY ("webhook_id") REFERENCES "webhooks"("id") ON DELETE CASCADE ON UPDATE CASCADE;
CREATE INDEX "webhook_deliveries_webhook_id_created_at_id_idx" ON "webhook_deliveries"("webhook_id", "created_at", "id");
CREATE INDEX "webhook_deliveries_webhook_id_status_created_at_id_idx" ON "webhook_deliveries"("webhook_id", "status", "created_at", "id");
CREATE INDEX webhook_deliveries_ended_idx ON webhook_deliveries (give_up_at) WHERE status <> 'waiting';
CREATE INDEX webhook_deliveries_due_idx ON webhook_deliveries (webhook_id, next_enqueue_at, id) WHERE status = 'waiting';
CREATE INDEX webhook_deliveries_taken_idx ON webhook_deliveries (webhook_id) WHERE is_taken;

CREATE TABLE "webhook_attempts" (
    "webhook_id" UUID NOT NULL,
    "delivery_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "municipality" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "http_status" INTEGER,
    "error" TEXT,
    "milliseconds" INTEGER NOT NULL,
    "answer_size" INTEGER,

    CONSTRAINT "webhook_attempts_pkey" PRIMARY KEY ("webhook_id","delivery_id","number")
);
ALTER TABLE "webhook_attempts" ADD CONSTRAINT "webhook_attempts_webhook_id_delivery_id_fkey" FOREIGN KEY ("webhook_id", "delivery_id") REFERENCES "webhook_deliveries"("webhook_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Everything kept about one citizen, made into one sealed zip for the one who asked.
CREATE TABLE "access_packages" (
    "id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "owner_kind" TEXT NOT NULL CHECK (owner_kind IN ('user', 'system')),
    "owner" TEXT NOT NULL,
    "on_behalf_of" TEXT,
    "citizen" BYTEA NOT NULL,
    "request" BYTEA NOT NULL,
    "request_size" INTEGER NOT NULL,
    "request_key_id" TEXT NOT NULL,
    "request_wrapped_key" BYTEA NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'made', 'failed')),
    "requested_at" TIMESTAMPTZ(3) NOT NULL,
    "made_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "messages_done" INTEGER NOT NULL DEFAULT 0,
    "message_count" INTEGER,
    "content_size" BIGINT,
    "sha256" BYTEA,
    "blob_name" TEXT,
    "container" BYTEA,
    "key_id" TEXT,
    "wrapped_key" BYTEA,
    "run" INTEGER NOT NULL DEFAULT 0,
    "next_enqueue_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "access_packages_pkey" PRIMARY KEY ("id"),
    CHECK ((status = 'made') = (sha256 IS NOT NULL)),
    CHECK ((status = 'made') = (key_id IS NOT NULL))
);
CREATE INDEX "access_packages_municipality_owner_kind_owner_idx" ON "access_packages"("municipality", "owner_kind", "owner");
CREATE INDEX access_packages_waiting_idx ON access_packages (next_enqueue_at) WHERE status = 'waiting';
CREATE INDEX "access_packages_expires_at_idx" ON "access_packages"("expires_at");
CREATE INDEX access_packages_blob_name_idx ON access_packages (blob_name) WHERE blob_name IS NOT NULL;
ALTER TABLE access_packages ALTER container SET STORAGE EXTERNAL;

CREATE TABLE "access_package_messages" (
    "package_id" UUID NOT NULL,
    "message_id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,

    CONSTRAINT "access_package_messages_pkey" PRIMARY KEY ("package_id","message_id")
);
CREATE INDEX "access_package_messages_message_id_idx" ON "access_package_messages"("message_id");
ALTER TABLE "access_package_messages" ADD CONSTRAINT "access_package_messages_package_id_fkey" FOREIGN KEY ("package_id") REFERENCES "access_packages"("id") ON DELETE CASCADE ON UPDATE CASCADE;

DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['feed_heads', 'message_subjects', 'unhashed_messages', 'audit_anchors', 'webhooks', 'webhook_deliveries', 'webhook_attempts', 'access_packages', 'access_package_messages'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant ON %I TO indbakke_app USING (municipality = current_setting(''indbakke.municipality'', true))', t);
  END LOOP;
END $$;
GRANT SELECT ON feed_heads, audit_anchors TO indbakke_app;
GRANT SELECT, INSERT ON message_subjects TO indbakke_app;
GRANT SELECT, DELETE ON unhashed_messages TO indbakke_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON webhooks, webhook_deliveries, access_packages TO indbakke_app;
GRANT SELECT, INSERT ON webhook_attempts, access_package_messages TO indbakke_app;

-- The numberer and the sweeps, across municipalities. What has a position is not changed any more.
CREATE POLICY number ON events FOR SELECT TO indbakke_worker USING (true);
CREATE POLICY number_once ON events FOR UPDATE TO indbakke_worker USING (position IS NULL) WITH CHECK (true);
CREATE POLICY expire ON events FOR DELETE TO indbakke_worker USING (position IS NOT NULL);
GRANT SELECT, UPDATE (position), DELETE ON events TO indbakke_worker;
CREATE POLICY number ON audit_events FOR SELECT TO indbakke_worker USING (true);
CREATE POLICY number_once ON audit_events FOR UPDATE TO indbakke_worker USING (position IS NULL) WITH CHECK (true);
GRANT SELECT, UPDATE (position, hash) ON audit_events TO indbakke_worker;
CREATE POLICY number ON feed_heads TO indbakke_worker USING (true);
GRANT SELECT, INSERT, UPDATE ON feed_heads TO indbakke_worker;
CREATE POLICY sweep ON audit_anchors TO indbakke_worker USING (true);
GRANT SELECT, INSERT ON audit_anchors TO indbakke_worker;
CREATE POLICY sweep ON message_subjects TO indbakke_worker USING (true);
GRANT SELECT, DELETE ON message_subjects TO indbakke_worker;
CREATE POLICY sweep ON unhashed_messages FOR SELECT TO indbakke_worker USING (true);
GRANT SELECT ON unhashed_messages TO indbakke_worker;
CREATE POLICY sweep ON webhooks TO indbakke_worker USING (true);
GRANT SELECT (id, municipality, event_types, status, disabled_cause, position, failing_since), UPDATE (position) ON webhooks TO indbakke_worker;
CREATE POLICY sweep ON webhook_deliveries TO indbakke_worker USING (true);
GRANT SELECT, INSERT, UPDATE (run, is_taken, next_enqueue_at), DELETE ON webhook_deliveries TO indbakke_worker;
CREATE POLICY sweep ON access_packages TO indbakke_worker USING (true);
GRANT SELECT (id, municipality, status, run, next_enqueue_at, expires_at, blob_name), UPDATE (run, next_enqueue_at), DELETE ON access_packages TO indbakke_worker;

-- The master keys of the oldest and the newest content, and of the few secrets and packages.
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
$$;

-- Months of the log are dropped at once, when their positions are anchored.
CREATE FUNCTION audit_month_begin(month text, months_later integer) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
RETURN (to_date(month, 'YYYY-MM')::timestamp + make_interval(months => months_later)) AT TIME ZONE 'UTC';

-- The months of which something is kept are the present one and `keep` before it: those before, oldest first.
CREATE FUNCTION audit_months_before(keep integer) RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT month FROM (
    SELECT replace(ltrim(c.relname, 'm'), '_', '-') AS month FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.audit_events'::regclass AND c.relname ~ '^m\d{4}_\d\d$') AS months
  WHERE audit_month_begin(month, 0) < date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - make_interval(months => keep)
  ORDER BY month
$$;

-- Drops one month, all of whose rows are anchored. Whoever writes waits at most for the time of lock_timeout, and then it is
-- tried again later. False: the month has gone, or another process is at it.
CREATE FUNCTION drop_audit_month(month text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET lock_timeout = '300ms' AS $$
DECLARE
  partition constant text := 'm' || replace(month, '-', '_');
  is_open boolean;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('drop_audit_month')) OR to_regclass(format('audit_months.%I', partition)) IS NULL THEN
    RETURN false;
  END IF;
  IF month NOT IN (SELECT audit_months_before(6)) THEN RAISE EXCEPTION 'The month % is not older than six months.', month; END IF;
  EXECUTE format('SELECT EXISTS (SELECT FROM audit_months.%1$I WHERE position IS NULL)
    OR EXISTS (SELECT FROM audit_months.%1$I e WHERE NOT EXISTS (
      SELECT FROM audit_anchors a WHERE a.municipality = e.municipality AND a.month = %2$L
        AND e.position BETWEEN a.first_position AND a.last_position))', partition, month) INTO is_open;
  IF NOT is_open THEN
    EXECUTE format('ALTER TABLE public.audit_events DETACH PARTITION audit_months.%I', partition);
    -- Committed since, by a transaction that the lock has waited for.
    EXECUTE format('SELECT EXISTS (SELECT FROM audit_months.%I WHERE position IS NULL)', partition) INTO is_open;
  END IF;
  IF is_open THEN RAISE EXCEPTION 'Not every row of the month % is anchored.', month; END IF;
  EXECUTE format('DROP TABLE audit_months.%I', partition);
  RETURN true;
END $$;

-- To make a month, too, takes a lock that verifying the log holds for long, and that others would wait behind.
ALTER FUNCTION make_audit_months() SET lock_timeout = '300ms';

-- missing: the next month is not there. misplaced: rows are in no month. overdue: a month is still there that could not be
-- dropped for a month.
CREATE FUNCTION audit_month_faults(keep integer, OUT missing boolean, OUT misplaced boolean, OUT overdue boolean) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT to_regclass('audit_months.' || to_char(now() AT TIME ZONE 'UTC' + interval '1 month', '"m"YYYY_MM')) IS NULL,
    EXISTS (SELECT FROM audit_months.other), EXISTS (SELECT FROM audit_months_before(keep + 1))
$$;
REVOKE EXECUTE ON FUNCTION audit_months_before(integer), drop_audit_month(text), audit_month_faults(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_months_before(integer), drop_audit_month(text), audit_month_faults(integer) TO indbakke_worker;
