-- UUIDs that are compared stand in their normal form (shared/src/ids): lower case, with hyphens, without braces or urn:uuid:.

CREATE FUNCTION pg_temp.normal(id text) RETURNS text LANGUAGE sql AS $$
  SELECT coalesce(
    (SELECT array_to_string(part, '-') FROM regexp_matches(lower(id),
      '^(?:urn:)?(?:uuid:)?[{(]?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})[)}]?$') AS part),
    id)
$$;

UPDATE reply_references SET value = pg_temp.normal(value)
WHERE kind = 'message-uuid' AND value <> pg_temp.normal(value);

UPDATE messages SET contact_point_id = pg_temp.normal(contact_point_id)
WHERE contact_point_id <> pg_temp.normal(contact_point_id);

UPDATE contact_points AS point SET contact_point_id = pg_temp.normal(contact_point_id)
WHERE contact_point_id <> pg_temp.normal(contact_point_id)
  AND NOT EXISTS (
    SELECT FROM contact_points AS other
    WHERE other.municipality = point.municipality AND other.contact_point_id = pg_temp.normal(point.contact_point_id));
