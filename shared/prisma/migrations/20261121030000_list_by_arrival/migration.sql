-- The list by arrival, a page at a time: without it every letter of the status is read and sorted for each page.

CREATE INDEX "messages_municipality_status_received_at_id_idx" ON "messages"("municipality", "status", "received_at", "id");
