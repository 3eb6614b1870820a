-- The data constraints that an owner of extracts was last seen with, and that a file was made with.
ALTER TABLE "extract_owners" ADD COLUMN "constraints" JSONB NOT NULL DEFAULT '{}';
ALTER TABLE "extract_files" ADD COLUMN "constraints" JSONB NOT NULL DEFAULT '{}';
