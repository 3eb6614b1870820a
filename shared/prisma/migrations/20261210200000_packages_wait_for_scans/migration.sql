-- A package that waits for files to be scanned says so to the one who asked for it.
ALTER TABLE "access_packages" ADD COLUMN     "waits_for_scan" BOOLEAN NOT NULL DEFAULT false;

SELECT scrub.prepare();
