-- Apart from the migration that added them: this reads all rows, and must not hold its lock meanwhile.
ALTER TABLE files VALIDATE CONSTRAINT files_scan_check;
ALTER TABLE zip_download_messages VALIDATE CONSTRAINT zip_download_messages_left_out_check;
