-- Operators see to which authority a message is not sent on.
GRANT SELECT (recipient) ON onward_distributions TO indbakke_worker;
