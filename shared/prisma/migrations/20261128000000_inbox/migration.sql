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
    encoding_format ~* '^\s*((audio|video)/|application/(ogg|mp4|mxf|vnd\.ms-asf|vnd\.rn-realmedia)\s*(;|$))'
    OR encoding_format ~* '^\s*(application/octet-stream\s*)?(;|$)' AND file_name ~* '\.(mp3|m4a|aac|wav|wma|ogg|oga|opus|flac|amr|aif|aiff|caf|3ga|mp4|m4v|mov|avi|wmv|mpg|mpeg|mkv|webm|ogv|3gp|3g2|flv|mts|m2ts)\s*$')),
  late = m.letter_at < m.received_at - interval '3 days',
  first_read_at = (SELECT min(at) FROM audit_events a
    WHERE a.municipality = m.municipality AND a.message_id = m.id AND a.action IN ('read', 'read-file', 'read-zip') AND a.actor_kind = 'user'),
  handled_at = CASE WHEN status IN ('journalized', 'rejected', 'deleted') THEN status_at END;
UPDATE events e SET details = a.details FROM audit_events a WHERE a.id = e.id AND a.at = e.at;

-- An index takes no longer ones; the original keeps them whole.
UPDATE messages SET contact_point_id = left(contact_point_id, 256) WHERE length(contact_point_id) > 256;

-- Filters, each in the order of a list, so that a page reads about as many rows as it has. Those of letters assigned or
-- suggested have the letter's own date as well: without SeAlle, every list is by them.
CREATE INDEX "messages_municipality_kind_status_received_at_id_idx" ON "messages"("municipality", "kind", "status", "received_at", "id");
CREATE INDEX "messages_municipality_contact_point_id_status_received_at_i_idx" ON "messages"("municipality", "contact_point_id", "status", "received_at", "id");
CREATE INDEX messages_of_systems_idx ON messages (municipality, status, received_at, id) WHERE channel = 'sf2900';
CREATE INDEX messages_late_idx ON messages (municipality, status, received_at, id) WHERE late;
CREATE INDEX messages_media_idx ON messages (municipality, status, received_at, id) WHERE has_media;
DROP INDEX "messages_municipality_assignee_kind_assignee_id_idx";
CREATE INDEX messages_assignee_idx ON messages (municipality, assignee_id, status, received_at, id) WHERE assignee_id IS NOT NULL;
CREATE INDEX messages_assignee_letter_idx ON messages (municipality, assignee_id, status, letter_at, id) WHERE assignee_id IS NOT NULL;
DROP INDEX "messages_municipality_suggested_case_id_idx";
CREATE INDEX messages_suggested_idx ON messages (municipality, suggested_case_id, status, received_at, id) WHERE suggested_case_id IS NOT NULL;
CREATE INDEX messages_suggested_letter_idx ON messages (municipality, suggested_case_id, status, letter_at, id) WHERE suggested_case_id IS NOT NULL;
CREATE INDEX messages_reply_by_idx ON messages (municipality, status, reply_by, id) WHERE reply_by IS NOT NULL;
CREATE INDEX messages_concern_idx ON messages (municipality, status, received_at, id) WHERE concern_marked_at IS NOT NULL;
CREATE INDEX messages_concern_open_idx ON messages (municipality, status, received_at, id)
  WHERE concern_marked_at IS NOT NULL AND (concern_assessed_at IS NULL OR concern_confirmed_at IS NULL);
CREATE INDEX messages_concern_due_idx ON messages (municipality, status, (least(
    CASE WHEN concern_assessed_at IS NULL THEN concern_assess_by END,
    CASE WHEN concern_confirmed_at IS NULL THEN concern_confirm_by END)), id)
  WHERE concern_marked_at IS NOT NULL AND (concern_assessed_at IS NULL OR concern_confirmed_at IS NULL);
CREATE INDEX messages_handled_idx ON messages (municipality, handled_at) WHERE handled_at IS NOT NULL;

-- Whom a message is from and whom it concerns, by number in its normal form: a list of a party in the order of receipt, even
-- of an authority that sends thousands. Status and times are those of the message.
CREATE TABLE "message_parties" (
    "message_id" UUID NOT NULL,
    "role" TEXT NOT NULL,
    "municipality" TEXT NOT NULL,
    "number" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "letter_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "message_parties_pkey" PRIMARY KEY ("message_id", "role")
);
ALTER TABLE message_parties ADD CHECK (role IN ('sender', 'concerning'));

ALTER TABLE message_parties ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON message_parties TO indbakke_app USING (municipality = current_setting('indbakke.municipality', true));
GRANT SELECT, INSERT, DELETE, UPDATE (status) ON message_parties TO indbakke_app;

CREATE FUNCTION move_message_parties() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  UPDATE message_parties SET status = NEW.status WHERE message_id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER move_message_parties AFTER UPDATE OF status ON messages
  FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION move_message_parties();

-- As in shared/src/ids: however grouped, with or without its name. What is no number is found by its words.
CREATE FUNCTION pg_temp.number_of(id text) RETURNS text LANGUAGE sql AS $$
  SELECT coalesce(
    substring(bare FROM '(?i)^(?:CPR(?:nr\.?)?:?)?(\d{10})$'), substring(bare FROM '(?i)^(?:CVR(?:nr\.?)?:?)?(?:DK)?(\d{8})$'))
  FROM regexp_replace(id, '[\s\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000\uFEFF\-\u058A\u05BE\u1400\u1806\u2010-\u2015\u2E17\u2E1A\u2E3A\u2E3B\u2E40\u2E5D\u301C\u3030\u30A0\uFE31\uFE32\uFE58\uFE63\uFF0D]', '', 'g') AS bare
$$;
INSERT INTO message_parties (message_id, role, municipality, number, status, received_at, letter_at)
SELECT m.id, role, m.municipality, pg_temp.number_of(party), m.status, m.received_at, m.letter_at
FROM messages m JOIN message_details d ON d.message_id = m.id,
  LATERAL (VALUES ('sender', sender_id), ('concerning', concerning_id)) AS parties (role, party)
WHERE pg_temp.number_of(party) IS NOT NULL;

CREATE INDEX "message_parties_municipality_number_role_status_received_at_idx" ON "message_parties"("municipality", "number", "role", "status", "received_at", "message_id");
CREATE INDEX "message_parties_municipality_number_role_status_letter_at_m_idx" ON "message_parties"("municipality", "number", "role", "status", "letter_at", "message_id");
DROP INDEX "message_details_municipality_sender_id_idx";
DROP INDEX "message_details_municipality_concerning_id_idx";

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
