-- Free text: the words of each message, and the function that finds messages by them.
--
-- Under row-level security @@ is no index condition, so search_messages() runs as the owner of the tables and keeps to the
-- municipality of the transaction by itself: every word in the index stands behind municipality, status and week of receipt.
-- A look-up touches only its own rows, however many there are of others, and stops at the week in which it has enough.

CREATE TABLE "message_words" (
    "message_id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "words" tsvector NOT NULL,

    CONSTRAINT "message_words_pkey" PRIMARY KEY ("message_id")
);

ALTER TABLE "message_words" ADD CONSTRAINT "message_words_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "messages"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- A short list of what is not in the index yet, because every look-up reads it.
CREATE INDEX message_words_idx ON message_words USING gin (words) WITH (gin_pending_list_limit = 256);

ALTER TABLE message_words ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON message_words TO indbakke_app USING (municipality = current_setting('indbakke.municipality', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON message_words TO indbakke_app;

-- The words of a text: lower case, without accents, å as aa. Letters are told from the rest by their numbers, because the
-- classes of a regular expression depend on the locale.
CREATE FUNCTION words_in(value text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN array_remove(string_to_array(regexp_replace(
  -- marks that combine, and characters without width
  regexp_replace(
    replace(lower(translate(normalize(value, NFKD), 'ÆØ', 'æø')), E'a\u030A', 'aa'),
    '[\u00AD\u0300-\u036F\u200B-\u200D\u2060\uFEFF]+', '', 'g'),
  '([^0-9a-z\u00C0-\u1FFF\u2C00-\u2DFF\u3040-\uD7FF\uF900-\uFDFF\U00010000-\U0010FFFF]+)', ' ', 'g'), ' '), '');

CREATE FUNCTION week_of(at timestamptz) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN floor(extract(epoch FROM at) / 604800)::integer;

CREATE FUNCTION words_prefix(municipality text, status text, received_at timestamptz) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN municipality || '/' || status || '/' || week_of(received_at) || '/';

-- What a message is found by: each word of its texts, and its Danish stem; a number of a person or company (8 or 10 digits)
-- behind #, so that it is found whole or not at all.
CREATE FUNCTION words_of(prefix text, texts text, ids text[]) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
  SELECT coalesce(array_to_tsvector(array_agg(DISTINCT prefix || left(word, 64))), '') FROM (
    SELECT word FROM unnest(words_in(texts)) AS w, LATERAL (VALUES (w), ((ts_lexize('pg_catalog.danish_stem', w))[1])) AS both_forms (word)
    UNION ALL
    SELECT '#' || number[1] || coalesce(number[2], '') FROM regexp_matches(texts, '\m(?:DK)?(\d{6})[- ]?(\d{4}|\d{2})\M', 'g') AS number
    UNION ALL
    SELECT CASE WHEN length(digits) IN (8, 10) THEN '#' || digits END
    FROM unnest(ids) AS id, LATERAL regexp_replace(id, '[^0-9]+', '', 'g') AS digits
  ) AS words WHERE word <> ''
);

-- The message found by `query` and `numbers` (each of them must match), in whole weeks of receipt from `beyond` on, until there
-- are `wanted`; a last row without an id tells where to go on, if there may be more.
CREATE FUNCTION search_messages(query text, numbers text[], statuses text[], newest_first boolean, beyond timestamptz, wanted integer)
RETURNS TABLE (message_id uuid, received_at timestamptz) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
DECLARE
  tenant text := nullif(current_setting('indbakke.municipality', true), '');
  words text[] := (SELECT array_agg(DISTINCT left(word, 64)) FROM unnest((words_in(left(query, 200)))[1:10]) AS word);
  first integer;
  last integer;
  low integer;
  high integer;
  weeks integer := 1;
  rows integer;
  found_so_far integer := 0;
  condition tsquery;
BEGIN
  IF tenant IS NULL OR (words IS NULL AND cardinality(numbers) = 0) THEN RETURN; END IF;
  SELECT week_of(min(oldest)), week_of(max(newest)) INTO first, last FROM unnest(statuses) AS wanted_status, LATERAL (SELECT
    (SELECT m.received_at FROM messages m WHERE m.municipality = tenant AND m.status = wanted_status
     ORDER BY m.received_at, m.id LIMIT 1) AS oldest,
    (SELECT m.received_at FROM messages m WHERE m.municipality = tenant AND m.status = wanted_status
     ORDER BY m.received_at DESC, m.id DESC LIMIT 1) AS newest) AS ends;
  IF newest_first THEN last := least(last, week_of(beyond)); ELSE first := greatest(first, week_of(beyond)); END IF;
  WHILE first <= last LOOP
    -- Few weeks where there is much to find, more and more where there is little.
    IF newest_first THEN
      high := last;
      low := greatest(first, last - weeks + 1);
      last := low - 1;
    ELSE
      low := first;
      high := least(last, first + weeks - 1);
      first := high + 1;
    END IF;
    SELECT string_agg(alternatives, ' & ')::tsquery INTO condition FROM (
      SELECT '(' || string_agg(lexeme, ' | ') || ')' AS alternatives
      FROM (
        SELECT word AS term, form FROM unnest(words) AS word, LATERAL (
          SELECT quote_literal('/' || word) || ':*' AS form
          UNION SELECT quote_literal('/' || stem) FROM (SELECT (ts_lexize('pg_catalog.danish_stem', word))[1] AS stem) AS s WHERE stem <> '') AS forms
        UNION ALL
        SELECT '#' || number, quote_literal('/#' || number) FROM unnest(numbers) AS number WHERE number ~ '^\d+$'
      ) AS terms, unnest(statuses) AS wanted_status, generate_series(low, high) AS week,
        LATERAL (SELECT overlay(form PLACING '''' || tenant || '/' || wanted_status || '/' || week || '/' FROM 1 FOR 2) AS lexeme) AS whole
      GROUP BY term
    ) AS each_term;
    RETURN QUERY SELECT w.message_id, w.received_at FROM message_words w WHERE w.words @@ condition AND w.municipality = tenant;
    GET DIAGNOSTICS rows = ROW_COUNT;
    found_so_far := found_so_far + rows;
    IF found_so_far >= wanted AND first <= last THEN
      message_id := NULL;
      received_at := to_timestamp(604800::bigint * CASE WHEN newest_first THEN last ELSE first END);
      RETURN NEXT;
      RETURN;
    END IF;
    weeks := least(weeks * 4, 64);
  END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION search_messages(text, text[], text[], boolean, timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_messages(text, text[], text[], boolean, timestamptz, integer) TO indbakke_app;

-- The words stand behind the status, so they move with it. What is deleted has none.
CREATE FUNCTION move_words() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  UPDATE message_words SET words = (
    SELECT coalesce(array_to_tsvector(array_agg(words_prefix(NEW.municipality, NEW.status, NEW.received_at) || regexp_replace(lexeme, '^[^/]*/[^/]*/[^/]*/', ''))), '')
    FROM unnest(tsvector_to_array(words)) AS lexeme)
  WHERE message_id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER move_words AFTER UPDATE OF status ON messages FOR EACH ROW
  WHEN (OLD.status IS DISTINCT FROM NEW.status AND NEW.status <> 'deleted') EXECUTE FUNCTION move_words();

INSERT INTO message_words (message_id, municipality, received_at, words)
SELECT m.id, m.municipality, m.received_at, words_of(words_prefix(m.municipality, m.status, m.received_at),
  concat_ws(' ', d.subject, d.sender_name, d.representative_name, d.concerning_name),
  ARRAY[d.sender_id, d.representative_id, d.concerning_id])
FROM messages m JOIN message_details d ON d.message_id = m.id;
