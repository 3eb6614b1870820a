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

-- They are few, and each statement that shows messages asks for them.
CREATE INDEX cases_restricted_idx ON cases (municipality, case_id) WHERE restricted_to IS NOT NULL;

-- Cases whose messages are still to get another suggestion run. The sweep asks which municipalities have some.
CREATE INDEX cases_suggestions_due_idx ON cases (municipality, case_id) WHERE suggestions_due IS NOT NULL;
CREATE POLICY sweep ON cases TO indbakke_worker USING (true);
GRANT SELECT (municipality, suggestions_due) ON cases TO indbakke_worker;
