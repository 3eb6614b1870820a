-- Checks of the whole way to a contact point: the code that somebody writes into the subject of a letter. One for each, the newest.
CREATE TABLE "contact_point_checks" (
    "municipality" TEXT NOT NULL,
    "contact_point_id" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "started_by" TEXT NOT NULL,

    CONSTRAINT "contact_point_checks_pkey" PRIMARY KEY ("municipality","contact_point_id")
);
ALTER TABLE contact_point_checks ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON contact_point_checks TO indbakke_app USING (municipality = current_setting('indbakke.municipality', true));
GRANT SELECT, INSERT, UPDATE ON contact_point_checks TO indbakke_app;
