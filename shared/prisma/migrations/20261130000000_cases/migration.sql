-- What the core tells of a case beside what it has: its team, how each party is related to the child, where it moved, to whom it is
-- restricted, and the core's version of it.
ALTER TABLE "cases"
  ADD COLUMN "moved_from" TEXT,
  ADD COLUMN "moved_to" TEXT,
  ADD COLUMN "party_relations" TEXT[] DEFAULT ARRAY[]::TEXT[],
  ADD COLUMN "restricted_to" TEXT[],
  ADD COLUMN "suggestions_due" UUID,
  ADD COLUMN "team" TEXT,
  ADD COLUMN "version" BIGINT;
ALTER TABLE cases
  ADD CHECK (moved_to IS NULL OR status = 'moved'),
  ADD CHECK (cardinality(restricted_to) > 0),
  ADD CHECK (array_remove(party_relations, NULL) <@ ARRAY['child', 'mother', 'father', 'guardian', 'professional', 'other']);

-- Which party answers, by its relation to the child, and what is to be seen at once. Suggestions whose sender is not known to be
-- the recipient of the letter are made again, since some now get a warning.
ALTER TABLE "messages"
  ADD COLUMN "suggestion_party" TEXT,
  ADD COLUMN "suggestion_warning" TEXT;
ALTER TABLE messages
  ADD CHECK (suggestion_party IN ('child', 'mother', 'father', 'guardian', 'professional', 'other')),
  ADD CHECK (suggestion_warning IN ('not-the-recipient'));
UPDATE messages SET suggestion_run_at = NULL, next_enqueue_at = now()
WHERE status = 'pending' AND suggestion_run_at IS NOT NULL AND suggestion_sender <> 'recipient-of-the-letter';

-- They are few, and each statement that shows messages asks for them.
CREATE INDEX cases_restricted_idx ON cases (municipality, case_id) WHERE restricted_to IS NOT NULL;

-- Who stands in for a user, and when.
CREATE TABLE "absences" (
    "municipality" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "substitute" TEXT NOT NULL,
    "from_at" TIMESTAMPTZ(3) NOT NULL,
    "until_at" TIMESTAMPTZ(3) NOT NULL,
    "set_by" TEXT NOT NULL,

    CONSTRAINT "absences_pkey" PRIMARY KEY ("municipality","user_id")
);
ALTER TABLE absences ADD CHECK (until_at > from_at), ADD CHECK (substitute <> user_id);
CREATE INDEX "absences_municipality_substitute_idx" ON "absences"("municipality", "substitute");
ALTER TABLE absences ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON absences TO indbakke_app USING (municipality = current_setting('indbakke.municipality', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON absences TO indbakke_app;

-- What every statement that shows messages asks, often more than once: as functions whose plans are kept, since such statements are
-- mostly planned anew. The reader and the colleagues whom the reader stands in for now …
CREATE FUNCTION acts_for(tenant text, reader text) RETURNS text[] LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = public AS $$
BEGIN
  RETURN ARRAY(
    SELECT reader
    UNION ALL SELECT user_id FROM absences
    WHERE municipality = tenant AND substitute = reader AND from_at <= now() AND until_at > now());
END $$;
-- … and the cases that are restricted to others.
CREATE FUNCTION cases_closed_to(tenant text, reader text) RETURNS text[] LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = public AS $$
BEGIN
  RETURN ARRAY(
    SELECT case_id FROM cases
    WHERE municipality = tenant AND restricted_to IS NOT NULL AND reader <> ALL (restricted_to));
END $$;
-- … and whether a message that has no suggestion yet, or is to get another, may get one of these cases.
CREATE FUNCTION may_be_on(message uuid, tenant text, closed text[]) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = public AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM reply_references r WHERE r.message_id = message AND CASE r.kind
      WHEN 'message-uuid' THEN EXISTS (
        SELECT FROM sent_messages WHERE municipality = tenant AND message_uuid = r.value AND case_id = ANY (closed))
      WHEN 'message-id' THEN EXISTS (
        SELECT FROM sent_messages WHERE municipality = tenant AND message_id = r.value AND case_id = ANY (closed))
      ELSE r.value = ANY (closed) END);
END $$;

-- Cases whose messages are still to get another suggestion run. The sweep asks which municipalities have some.
CREATE INDEX cases_suggestions_due_idx ON cases (municipality, case_id) WHERE suggestions_due IS NOT NULL;
CREATE POLICY sweep ON cases TO indbakke_worker USING (true);
GRANT SELECT (municipality, suggestions_due) ON cases TO indbakke_worker;
