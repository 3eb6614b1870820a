-- What a row's request or job is known by, so that the jobs which it leads to carry it on: the correlation id, and the traceparent
-- when tracing is on. Ids only.
ALTER TABLE "events" ADD COLUMN "trace" TEXT;
ALTER TABLE "webhook_deliveries" ADD COLUMN "trace" TEXT;
ALTER TABLE "access_packages" ADD COLUMN "trace" TEXT;
ALTER TABLE "zip_downloads" ADD COLUMN "trace" TEXT;

GRANT SELECT (trace) ON access_packages, zip_downloads TO indbakke_worker;

-- Two of them are scrubbed.
SELECT scrub.prepare();
