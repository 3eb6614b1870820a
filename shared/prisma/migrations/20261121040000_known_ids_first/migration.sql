-- In a database that is new, PostgreSQL knows of no index that is better than the others, and takes the one that was made
-- last. The look-up of ids that are here already then read every letter of the municipality, until the first ANALYZE.
DROP INDEX "messages_municipality_channel_external_id_fingerprint_key";
CREATE UNIQUE INDEX "messages_municipality_channel_external_id_fingerprint_key" ON "messages"("municipality", "channel", "external_id", "fingerprint");
