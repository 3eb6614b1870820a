-- What operations watch of the installation as a whole: ids, codes, counts, times and sizes; nothing of a municipality's own.
CREATE TABLE "copies" (
    "id" UUID NOT NULL,
    "services" TEXT[],
    "version" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL,
    "able_at" TIMESTAMPTZ(3),
    "stopped_at" TIMESTAMPTZ(3),
    "beat" INTEGER NOT NULL,

    CONSTRAINT "copies_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "minute_figures" (
    "minute" TIMESTAMPTZ(3) NOT NULL,
    "figure" TEXT NOT NULL CHECK (figure IN ('receipt', 'suggestion')),
    "label" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "seconds" DOUBLE PRECISION NOT NULL,
    "longest" DOUBLE PRECISION NOT NULL,

    CONSTRAINT "minute_figures_pkey" PRIMARY KEY ("minute","figure","label")
);

CREATE TABLE "outages" (
    "from_at" TIMESTAMPTZ(3) NOT NULL,
    "until_at" TIMESTAMPTZ(3) NOT NULL CHECK (until_at > from_at),

    CONSTRAINT "outages_pkey" PRIMARY KEY ("from_at")
);

CREATE TABLE "refused_deliveries" (
    "external_id" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "first_at" TIMESTAMPTZ(3) NOT NULL,
    "last_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "refused_deliveries_pkey" PRIMARY KEY ("external_id","code")
);

CREATE TABLE "daily_sizes" (
    "day" DATE NOT NULL,
    "what" TEXT NOT NULL CHECK (what IN ('content-free', 'database')),
    "bytes" BIGINT NOT NULL,

    CONSTRAINT "daily_sizes_pkey" PRIMARY KEY ("day","what")
);

CREATE TABLE "master_keys" (
    "id" TEXT NOT NULL,
    "first_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "master_keys_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "refused_deliveries_last_at_idx" ON "refused_deliveries"("last_at");

DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['copies', 'minute_figures', 'outages', 'refused_deliveries', 'daily_sizes', 'master_keys'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY sweep ON %I TO indbakke_worker USING (true)', t);
  END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON copies, minute_figures, refused_deliveries, daily_sizes TO indbakke_worker;
GRANT SELECT, INSERT ON master_keys TO indbakke_worker;
-- Kept for good: when nothing could be taken in counts for legal times.
GRANT SELECT, INSERT ON outages TO indbakke_worker;

-- Which contact points have gone silent.
CREATE POLICY sweep ON contact_points TO indbakke_worker USING (true);
GRANT SELECT (municipality, contact_point_id, is_active, removed_at) ON contact_points TO indbakke_worker;
GRANT SELECT (contact_point_id, suggestion_run_at) ON messages TO indbakke_worker;

-- As the owner, since the right to connect may have been taken from others.
CREATE FUNCTION database_size() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT pg_database_size(current_database())
$$;
REVOKE EXECUTE ON FUNCTION database_size() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION database_size() TO indbakke_worker;

-- Which of these refused ids have come after all. Only of ids that the caller knows: sweeps do not read those of messages.
CREATE FUNCTION ids_here(ids text[]) RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT given.id FROM unnest(ids) AS given (id) WHERE EXISTS (
    SELECT FROM municipalities CROSS JOIN unnest(ARRAY['sf1606', 'sf2900']) AS any_channel
    JOIN messages m ON m.municipality = cvr AND m.channel = any_channel AND m.external_id = given.id)
$$;
REVOKE EXECUTE ON FUNCTION ids_here(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ids_here(text[]) TO indbakke_worker;
