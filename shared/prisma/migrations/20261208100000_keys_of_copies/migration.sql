-- Which master keys a process has, so that a rotation waits for those that lack the new one, or still wrap with the old one. Ids only.
ALTER TABLE "copies" ADD COLUMN "current_master_key" TEXT;
ALTER TABLE "copies" ADD COLUMN "master_keys" TEXT[];
