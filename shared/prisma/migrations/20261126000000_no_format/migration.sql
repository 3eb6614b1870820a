-- What is read of a message stands in columns of no format; the rest of what was delivered, in the original.

-- In the column of the parsed MeMo, so that no row keeps the bytes of it.
ALTER TABLE message_details RENAME COLUMN memo TO contact_info;
UPDATE message_details SET contact_info = (
  SELECT coalesce(jsonb_agg(jsonb_build_object('label', coalesce(label, ''), 'value', coalesce(value, '')) ORDER BY n), '[]')
  FROM ROWS FROM (jsonb_to_recordset(
    coalesce(contact_info #> '{header,recipient,contactPoint,contactInfo}', '[]')
      || coalesce(contact_info #> '{header,sender,contactPoint,contactInfo}', '[]')
  ) AS (label text, value text)) WITH ORDINALITY AS pairs (label, value, n)
);

ALTER TABLE message_details ADD original_format text NOT NULL DEFAULT 'memo' CHECK (original_format IN ('memo'));
ALTER TABLE message_details ALTER original_format DROP DEFAULT;
