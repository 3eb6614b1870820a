-- Apart from the migration that added them: this reads all rows, and must not hold its lock meanwhile.
ALTER TABLE message_details VALIDATE CONSTRAINT message_details_original_format_check;
ALTER TABLE reply_references VALIDATE CONSTRAINT reply_references_kind_check;
