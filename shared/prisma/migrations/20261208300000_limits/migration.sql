-- What the messages of a contact point are about: the IT system that they belong to, beside KLE, org unit and sensitivity.
ALTER TABLE "contact_points" ADD COLUMN "it_system" TEXT;

-- The rule of data constraints, in one place: the contact points that meet one of some sets, each an object of lists. One that is
-- not set up with what a list is about does not meet it. A list that is not known here is met by none. KLE numbers have all below
-- them; the action facet is below the number: 27.24.00.G01. Removed contact points count as they were.
CREATE FUNCTION contact_points_within(tenant text, sets jsonb) RETURNS text[] LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = public AS $$
BEGIN
  RETURN ARRAY(
    SELECT p.contact_point_id
    FROM contact_points p, regexp_replace(upper(btrim(p.kle)), '[\s.-]+', '.', 'g') AS number
    WHERE p.municipality = tenant AND EXISTS (
      SELECT FROM jsonb_array_elements(sets) AS s
      WHERE s - '{kle,orgUnit,sensitivity,itSystem}'::text[] = '{}'
        AND (s->'kle' IS NULL OR EXISTS (
          SELECT FROM jsonb_array_elements_text(s->'kle') AS k WHERE number = k OR starts_with(number, k || '.')))
        AND (s->'orgUnit' IS NULL OR s->'orgUnit' ? p.org_unit)
        AND (s->'sensitivity' IS NULL OR s->'sensitivity' ? lower(p.sensitivity))
        AND (s->'itSystem' IS NULL OR s->'itSystem' ? p.it_system)));
END $$;

-- A second line of defence, whatever a statement asks for: what a call sees whose role Læs has data constraints. indbakke.limits has
-- the ids of the contact points, found once a transaction, each between line ends. Where it is not set, as by processes of the release
-- before, nothing is limited. Mostly nothing is, so the plans of lists, which are made anew each time, are to be what they were: no
-- sub-selects, which take long to plan; IS NOT NULL, of which PostgreSQL expects that nearly all rows meet it; a function that costs little.
DO $$
DECLARE
  -- Held messages are not limited, and nothing personal is left of tombstones.
  in_sight constant text := 'status IN (''held'', ''deleted'') OR coalesce(status_before = ''held'', false)
    OR coalesce(strpos(current_setting(''indbakke.limits'', true), E''\n'' || contact_point_id || E''\n'') > 0, false)';
  policy constant text := 'CREATE POLICY limits ON %I AS RESTRICTIVE FOR SELECT TO indbakke_app
    USING (CASE WHEN coalesce(current_setting(''indbakke.limits'', true), '''') = '''' THEN true WHEN %s THEN true END IS NOT NULL)';
  t text;
BEGIN
  EXECUTE format(policy, 'messages', in_sight);

  -- As the owner, so that the policy of messages is not asked again for each row.
  EXECUTE format('CREATE FUNCTION is_in_sight(message uuid) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
    COST 1 SET search_path = pg_catalog, public, pg_temp AS $f$
    BEGIN
      RETURN EXISTS (
        SELECT FROM messages WHERE id = message AND municipality = current_setting(''indbakke.municipality'', true) AND (%s));
    END $f$', in_sight);
  FOREACH t IN ARRAY ARRAY['message_details', 'message_contents', 'message_parties', 'message_words', 'message_keys', 'documents',
    'files', 'reply_references', 'journalizations', 'legal_holds'] LOOP
    EXECUTE format(policy, t, 'is_in_sight(message_id)');
  END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION is_in_sight(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION is_in_sight(uuid) TO indbakke_app;
