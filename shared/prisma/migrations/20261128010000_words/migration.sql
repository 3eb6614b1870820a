-- Free text: the words of each message, and the one function that finds messages by them.
--
-- Under row-level security @@ is no index condition. So search_messages() runs as the owner of the tables and keeps to the
-- municipality of the transaction by itself. In the index every word begins with municipality, status and week of receipt: a
-- look-up touches only its own rows, however many others there are, and stops at the week in which it has enough.

CREATE TABLE "message_words" (
    "message_id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "words" tsvector NOT NULL,

    CONSTRAINT "message_words_pkey" PRIMARY KEY ("message_id")
);

ALTER TABLE message_words ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON message_words TO indbakke_app USING (municipality = current_setting('indbakke.municipality', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON message_words TO indbakke_app;

-- The words of a text, with spaces between: lower case, without accents, å as aa, of at most 64 characters, since an index takes
-- no word of any length. Letters are told from the rest by their code points, because the classes of a regular expression depend
-- on the locale. What has no width (soft hyphen, joiners) parts no word.
CREATE FUNCTION words_in(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN trim(regexp_replace(
  regexp_replace(
    regexp_replace(
      replace(lower(translate(normalize(value, NFKD), 'ÆØ', 'æø')), E'a\u030A', 'aa'),
      '[\u00AD\u0300-\u036F\u200B-\u200D\u2060\uFEFF]+', '', 'g'),
    '[^0-9a-z\u00C0-\u1FFF\u2C00-\u2DFF\u3040-\uD7FF\uF900-\uFDFF\U00010000-\U0010FFFF]+', ' ', 'g'),
  '([^ ]{64})[^ ]+', '\1', 'g'));

-- A CPR or CVR number among words with spaces between: 10 or 8 digits, however grouped, and what people write before them.
CREATE FUNCTION number_pattern() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '(?:^| )(?:(?:cpr|cvr) ?)?(?:nr ?)?(?:dk ?)?((?:\d ?){7}\d(?: ?\d ?\d)?)(?= |$)';

-- What a message is found by. A word of the subject counts with its stem, one of a name as it is. A number is a word that begins
-- with #, so that it is found whole or not at all. Written for speed: it runs once for each message at intake.
CREATE FUNCTION words_of(subject text, names text[], ids text[]) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  plain constant text := coalesce(words_in(subject), '');
  words text[] := string_to_array(plain, ' ') || string_to_array(words_in(array_to_string(names, ' ')), ' ');
  id text;
  number text;
BEGIN
  IF plain ~ '\d' THEN
    words := words || ARRAY(SELECT '#' || replace(match[1], ' ', '') FROM regexp_matches(plain, number_pattern(), 'g') AS match);
  END IF;
  FOREACH id IN ARRAY coalesce(ids, '{}') LOOP
    number := CASE WHEN id ~ '^\d{8}(\d\d)?$' THEN id ELSE replace(substring(words_in(id) FROM number_pattern()), ' ', '') END;
    words := words || CASE WHEN number IS NULL THEN string_to_array(words_in(id), ' ') ELSE ARRAY['#' || number] END;
  END LOOP;
  RETURN array_to_tsvector(words) || strip(to_tsvector('pg_catalog.danish', plain));
END $$;

-- What is looked for, as the text of a tsquery, each term on a line; null when there is no word in it. Each of the ten longest
-- words, as a beginning or by its stem; a single letter only as a whole word, since it begins too many. Digits that may be a
-- number: that number, or these words. All words are letters and digits, so none can be an operator.
CREATE FUNCTION words_query(q text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  plain constant text := words_in(q);
BEGIN
  RETURN (
    SELECT string_agg(term, E'\n&') FROM (
      SELECT format(' ( ''#%s'' | ( ''%s'' ) )', replace(digits, ' ', ''), replace(digits, ' ', ''' & ''')) AS term
      FROM (SELECT DISTINCT (regexp_matches(plain, number_pattern(), 'g'))[1] AS digits) AS numbers
      UNION ALL
      SELECT CASE WHEN length(w) = 1 THEN format(' ''%s''', w)
        ELSE format(' ( ''%s'':* %s )', w, '| ''' || nullif((ts_lexize('pg_catalog.danish_stem', w))[1], w) || '''') END
      FROM (
        SELECT w FROM unnest(string_to_array(regexp_replace(plain, number_pattern(), ' ', 'g'), ' ')) AS w
        WHERE w <> '' GROUP BY w ORDER BY length(w) DESC, w LIMIT 10
      ) AS longest
    ) AS terms);
END $$;

-- Where words stand in the index: both the words of a message and those of a query get what they begin with. In the text of
-- either, every word begins with a space and a quote.
CREATE FUNCTION week_of(received_at timestamptz) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ((received_at AT TIME ZONE 'UTC')::date - date '2000-01-03') / 7;
CREATE FUNCTION placed(words text, municipality text, status text, week integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN replace(' ' || words, ' ''', ' ''' || municipality || left(status, 1) || week::text || ':');

-- The words move with the status. An UPDATE brings back no row that a deletion has removed.
CREATE FUNCTION move_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE public.message_words SET status = NEW.status WHERE message_id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER move_words AFTER UPDATE OF status ON messages
  FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION move_words();

INSERT INTO message_words (message_id, municipality, status, received_at, words)
SELECT m.id, m.municipality, m.status, m.received_at, words_of(d.subject, ARRAY[d.sender_name, d.representative_name, d.concerning_name],
  ARRAY[d.sender_id, d.representative_id, d.concerning_id])
FROM messages m JOIN message_details d ON d.message_id = m.id;

-- Without a list of pending entries, which every look-up would read from end to end: the words of one message are close together.
CREATE INDEX message_words_idx ON message_words
  USING gin ((placed(words::text, municipality, status, week_of(received_at))::tsvector)) WITH (fastupdate = off);

-- Statistics would hold the commonest words, names among them. What is dead of a pending week slows its look-ups.
ALTER TABLE message_words ALTER words SET STATISTICS 0;
ALTER INDEX message_words_idx ALTER COLUMN 1 SET STATISTICS 0;
ALTER TABLE message_words SET (autovacuum_vacuum_scale_factor = 0.02);

-- The messages of these statuses that have all words of q, in no order: without a gap from the newest on (or from the oldest)
-- until there are `wanted`, and what else stands in the last weeks that were read; fewer than `wanted` are all there are.
--   since, until           in the weeks from one to the other; null = any time
--   beyond_at, beyond_id   only what comes after this message in the order of (received_at, id); null = from the beginning
-- Nothing while no municipality is set.
CREATE FUNCTION search_messages(q text, statuses text[], newest_first boolean, since timestamptz, until timestamptz,
  beyond_at timestamptz, beyond_id uuid, wanted integer)
RETURNS TABLE (message_id uuid, received_at timestamptz) LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
  tenant constant text := nullif(current_setting('indbakke.municipality', true), '');
  query constant text := words_query(q);
  whole_query constant tsquery := query::tsquery;
  terms constant text[] := string_to_array(query, E'\n&');
  -- What the index is asked for: all terms, or one so rare that what it finds is soon checked for the others. The index reads
  -- every word that begins like a term before it looks for those that meet.
  asked text := query;
  low timestamptz;
  high timestamptz;
  first integer;
  last integer;
  lower_week integer;
  upper_week integer;
  -- Twice as many each time: common words need one week, and rare ones few steps.
  weeks integer := 1;
  most_weeks constant integer := 16;
  added integer;
BEGIN
  -- Between the oldest and the newest message.
  SELECT min(oldest.at), max(newest.at) INTO low, high FROM unnest(statuses) AS s,
    LATERAL (SELECT m.received_at FROM messages m WHERE m.municipality = tenant AND m.status = s
      ORDER BY m.received_at, m.id LIMIT 1) AS oldest (at),
    LATERAL (SELECT m.received_at FROM messages m WHERE m.municipality = tenant AND m.status = s
      ORDER BY m.received_at DESC, m.id DESC LIMIT 1) AS newest (at);
  IF query IS NULL OR low IS NULL THEN RETURN; END IF;
  first := week_of(greatest(low, since, CASE WHEN NOT newest_first THEN beyond_at END));
  last := week_of(least(high, until, CASE WHEN newest_first THEN beyond_at END));
  WHILE first <= last AND wanted > 0 LOOP
    IF newest_first THEN
      lower_week := greatest(first, last - weeks + 1);
      upper_week := last;
      last := lower_week - 1;
    ELSE
      lower_week := first;
      upper_week := least(last, first + weeks - 1);
      first := upper_week + 1;
    END IF;
    -- A week and a status at a time, since the index takes long over a query with many ORs.
    RETURN QUERY SELECT found.* FROM generate_series(lower_week, upper_week) AS week, unnest(statuses) AS s,
      LATERAL (
        SELECT w.message_id, w.received_at::timestamptz FROM message_words w
        WHERE placed(w.words::text, w.municipality, w.status, week_of(w.received_at))::tsvector
            @@ placed(asked, tenant, s, week)::tsquery
          AND w.words @@ whole_query
          AND w.municipality = tenant
          AND (beyond_at IS NULL OR CASE WHEN newest_first THEN (w.received_at, w.message_id) < (beyond_at, beyond_id)
            ELSE (w.received_at, w.message_id) > (beyond_at, beyond_id) END)
        OFFSET 0) AS found;
    GET DIAGNOSTICS added = ROW_COUNT;
    -- Where many weeks are yet to be read, the first of them tell which term is rare.
    IF asked = query AND cardinality(terms) > 1 AND weeks < most_weeks AND added * most_weeks < wanted THEN
      asked := coalesce((
        SELECT term FROM (
          SELECT term, hits, max(hits) OVER () AS most FROM unnest(terms) AS term, LATERAL (
            SELECT count(*) AS hits FROM generate_series(lower_week, upper_week) AS week, unnest(statuses) AS s, LATERAL (
              SELECT FROM message_words w
              WHERE placed(w.words::text, w.municipality, w.status, week_of(w.received_at))::tsvector
                  @@ placed(term, tenant, s, week)::tsquery
                AND w.municipality = tenant
              OFFSET 0) AS found) AS counted) AS ranked
        WHERE 8 * (hits + 1) <= most ORDER BY hits LIMIT 1), query);
    END IF;
    wanted := wanted - added;
    weeks := least(weeks * 2, most_weeks);
  END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION search_messages FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_messages TO indbakke_app;
