-- What the inbox shows, sorts and counts beside what it has: clocks, marks, and the answers of calls that may be repeated.

ALTER TABLE municipalities ADD late_after_days integer NOT NULL DEFAULT 3 CHECK (late_after_days > 0);
ALTER TABLE contact_points ADD is_concern boolean NOT NULL DEFAULT false;

ALTER TABLE messages
  ADD reply_by timestamptz(3),
  ADD attachment_count integer NOT NULL DEFAULT 0,
  ADD has_media boolean NOT NULL DEFAULT false,
  ADD late boolean NOT NULL DEFAULT false,
  ADD first_read_at timestamptz(3),
  ADD handled_at timestamptz(3),
  ADD concern_marked_at timestamptz(3),
  ADD concern_marked_by text,
  ADD concern_assess_by timestamptz(3),
  ADD concern_assessed_at timestamptz(3),
  ADD concern_confirm_by timestamptz(3),
  ADD concern_confirmed_at timestamptz(3),
  ADD CHECK ((concern_marked_at IS NULL) = (concern_marked_by IS NULL)),
  ADD CHECK ((concern_marked_at IS NULL) = (concern_assess_by IS NULL)),
  ADD CHECK ((concern_marked_at IS NULL) = (concern_confirm_by IS NULL)),
  ADD CHECK (concern_marked_at IS NOT NULL OR (concern_assessed_at IS NULL AND concern_confirmed_at IS NULL));

ALTER TABLE message_details
  ADD representative_id text,
  ADD representative_id_type text,
  ADD representative_name text;
ALTER TABLE files ADD detected_format text;
ALTER TABLE journalizations ADD file_ids uuid[] NOT NULL DEFAULT '{}';
ALTER TABLE events ADD details jsonb NOT NULL DEFAULT '{}';

-- What is known of the messages that are here.
UPDATE messages m SET
  attachment_count = (SELECT count(*) FROM documents WHERE message_id = m.id AND role = 'additional'),
  has_media = EXISTS (SELECT FROM files WHERE message_id = m.id AND (
    encoding_format ~* '^\s*((audio|video)/|application/(ogg|mp4)\s*(;|$))'
    OR encoding_format ~* '^\s*(application/octet-stream\s*)?(;|$)' AND file_name ~* '\.(mp3|m4a|aac|wav|wma|ogg|oga|opus|flac|amr|aif|aiff|caf|3ga|mp4|m4v|mov|avi|wmv|mpg|mpeg|mkv|webm|ogv|3gp|3g2|flv|mts|m2ts)\s*$')),
  late = m.letter_at < m.received_at - interval '3 days',
  first_read_at = (SELECT min(at) FROM audit_events a
    WHERE a.municipality = m.municipality AND a.message_id = m.id AND a.action IN ('read', 'read-file', 'read-zip') AND a.actor_kind = 'user'),
  handled_at = CASE WHEN status IN ('journalized', 'rejected', 'deleted') THEN status_at END;
UPDATE events e SET details = a.details FROM audit_events a WHERE a.id = e.id AND a.at = e.at;

-- An index takes no longer ones; the original keeps them whole.
UPDATE messages SET contact_point_id = left(contact_point_id, 256) WHERE length(contact_point_id) > 256;

-- Filters, each in the order of receipt. What few messages have has an index of its own.
CREATE INDEX "messages_municipality_kind_status_received_at_id_idx" ON "messages"("municipality", "kind", "status", "received_at", "id");
CREATE INDEX "messages_municipality_contact_point_id_status_received_at_i_idx" ON "messages"("municipality", "contact_point_id", "status", "received_at", "id");
DROP INDEX "messages_municipality_suggested_case_id_idx";
CREATE INDEX messages_suggested_idx ON messages (municipality, suggested_case_id, status, received_at, id) WHERE suggested_case_id IS NOT NULL;
DROP INDEX "messages_municipality_assignee_kind_assignee_id_idx";
CREATE INDEX messages_assigned_idx ON messages (municipality, assignee_kind, assignee_id, status, received_at, id) WHERE assignee_id IS NOT NULL;
CREATE INDEX messages_of_systems_idx ON messages (municipality, status, received_at, id) WHERE channel = 'sf2900';
CREATE INDEX messages_late_idx ON messages (municipality, status, received_at, id) WHERE late;
CREATE INDEX messages_with_media_idx ON messages (municipality, status, received_at, id) WHERE has_media;
CREATE INDEX messages_concern_idx ON messages (municipality, status, received_at, id) WHERE concern_marked_at IS NOT NULL;
CREATE INDEX messages_handled_idx ON messages (municipality, handled_at) WHERE handled_at IS NOT NULL;

-- The first answer of each call with an Idempotency-Key, for 24 hours. Keyed hashes only.
CREATE TABLE "idempotency_keys" (
    "municipality" TEXT NOT NULL,
    "key_digest" BYTEA NOT NULL,
    "request_digest" BYTEA NOT NULL,
    "answer" JSONB NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("municipality", "key_digest")
);
CREATE INDEX "idempotency_keys_at_idx" ON "idempotency_keys"("at");

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON idempotency_keys TO indbakke_app USING (municipality = current_setting('indbakke.municipality', true));
GRANT SELECT, INSERT, UPDATE ON idempotency_keys TO indbakke_app;
CREATE POLICY sweep ON idempotency_keys TO indbakke_worker USING (true);
GRANT SELECT (at), DELETE ON idempotency_keys TO indbakke_worker;
