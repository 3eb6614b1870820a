-- Roles, row-level security, closed sets and partitions: what schema.prisma cannot say.
--
--   the owner           runs the migrations; the services never connect as it
--   indbakke_app        every read and write for one municipality, which withTenant() names; no way around the policies
--   indbakke_worker     what sweeps need across municipalities, column by column; nothing personal
--   indbakke_queue      owns the schema bullmq and sees nothing else

-- Roles belong to the server, not to one database: a DBA may have made them, another migration may be making them now.
DO $$
DECLARE
  role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['indbakke_app', 'indbakke_worker', 'indbakke_queue'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS', role_name);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;
      END;
    END IF;
  END LOOP;
END $$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO indbakke_app, indbakke_worker;

CREATE SCHEMA bullmq;
GRANT USAGE, CREATE ON SCHEMA bullmq TO indbakke_queue;

-- Closed sets. The same words as in shared/src/lifecycle and shared/src/api, where each has its sentence.
ALTER TABLE messages
  ADD CHECK (channel IN ('sf1606', 'sf2900')),
  ADD CHECK (kind IN ('reply', 'enquiry', 'forwarded')),
  ADD CHECK (status IN ('pending', 'held', 'journalized', 'rejected', 'deleted')),
  ADD CHECK (status_before IN ('pending', 'held')),
  ADD CHECK ((status = 'rejected') = (status_before IS NOT NULL)),
  ADD CHECK (held_cause IN ('conflict', 'replies-off', 'enquiries-off')),
  ADD CHECK ((status = 'held' OR status_before IS NOT DISTINCT FROM 'held') = (held_cause IS NOT NULL)),
  ADD CHECK (assignee_kind IN ('user', 'team')),
  ADD CHECK ((assignee_kind IS NULL) = (assignee_id IS NULL));
ALTER TABLE documents ADD CHECK (role IN ('main', 'additional', 'technical'));
ALTER TABLE files
  ADD CHECK (status IN ('expected', 'stored', 'missing')),
  ADD CHECK ((status = 'stored') = (sha256 IS NOT NULL AND container_index IS NOT NULL AND container_offset IS NOT NULL));
ALTER TABLE reply_references ADD CHECK (kind IN ('message-uuid', 'message-id', 'case-id'));
ALTER TABLE cases ADD CHECK (status IN ('open', 'closed', 'moved'));

-- The sweep of messages not looked at: small, whatever the table grows to.
CREATE INDEX messages_not_looked_at_idx ON messages (next_enqueue_at) WHERE looked_at IS NULL AND status = 'pending';

-- The sweep of orphaned content asks which of many names a message has.
CREATE INDEX messages_blob_name_idx ON messages (blob_name) WHERE blob_name IS NOT NULL;

-- Every table holds the rows of many municipalities; a role sees those of the one that the transaction is set to.
-- Unset, the setting is null or empty and matches nothing.
DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['contact_points', 'messages', 'message_details', 'message_keys', 'documents', 'files',
    'reply_references', 'journalizations', 'cases', 'sent_messages', 'events', 'audit_events', 'content_removals'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant ON %I TO indbakke_app USING (municipality = current_setting(''indbakke.municipality'', true))', t);
  END LOOP;
END $$;
ALTER TABLE municipalities ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON municipalities TO indbakke_app USING (cvr = current_setting('indbakke.municipality', true));

GRANT SELECT ON municipalities, contact_points TO indbakke_app;
GRANT SELECT, INSERT, UPDATE ON messages, cases, sent_messages TO indbakke_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON message_details TO indbakke_app;
GRANT SELECT, INSERT, DELETE ON message_keys, documents, files, reply_references, journalizations, content_removals TO indbakke_app;
-- What has been told cannot be untold: no UPDATE, no DELETE.
GRANT SELECT, INSERT ON events, audit_events TO indbakke_app;

-- Sweeps look across municipalities, at ids and times only.
CREATE POLICY sweep ON messages TO indbakke_worker USING (true);
GRANT SELECT (id, municipality, status, looked_at, suggest_round, next_enqueue_at, blob_name) ON messages TO indbakke_worker;
GRANT UPDATE (suggest_round, next_enqueue_at) ON messages TO indbakke_worker;
CREATE POLICY sweep ON content_removals TO indbakke_worker USING (true);
GRANT SELECT, DELETE ON content_removals TO indbakke_worker;

-- Audit months. They stand in a schema of their own; the default one takes what no month covers, so that no row is refused.
CREATE SCHEMA audit_months;
CREATE TABLE audit_months.other PARTITION OF audit_events DEFAULT;

CREATE FUNCTION make_audit_months() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  first date;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('make_audit_months'));
  FOR i IN 0..2 LOOP
    first := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => i))::date;
    EXECUTE format('CREATE TABLE IF NOT EXISTS audit_months.%I PARTITION OF public.audit_events FOR VALUES FROM (%L) TO (%L)',
      to_char(first, '"m"YYYY_MM'), first::timestamp AT TIME ZONE 'UTC', (first + interval '1 month')::timestamp AT TIME ZONE 'UTC');
  END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION make_audit_months() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_audit_months() TO indbakke_worker;
SELECT make_audit_months();
