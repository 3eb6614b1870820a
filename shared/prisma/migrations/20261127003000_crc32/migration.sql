-- The CRC-32 of each file, unsigned, so that the headers of a zip are known before its contents are read. Files stored before
-- have none: theirs is computed when they are zipped.
ALTER TABLE files ADD COLUMN crc32 BIGINT CHECK (crc32 BETWEEN 0 AND 4294967295);
