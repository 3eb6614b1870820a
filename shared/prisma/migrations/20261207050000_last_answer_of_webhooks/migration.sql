-- Operations see what a webhook's receiver answered last: a status or a code.
CREATE POLICY sweep ON webhook_attempts FOR SELECT TO indbakke_worker USING (true);
GRANT SELECT (webhook_id, delivery_id, number, http_status, error) ON webhook_attempts TO indbakke_worker;
