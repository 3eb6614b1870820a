-- Municipalities to practise in. The mark is for life, so that nothing real is ever reset, whoever writes the rows.
ALTER TABLE "municipalities"
  ADD COLUMN "is_training" BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN "reset_due" BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN "training_since" TIMESTAMPTZ(3);
ALTER TABLE municipalities
  ADD CHECK (is_training = (training_since IS NOT NULL)),
  ADD CHECK (is_training OR NOT reset_due);

CREATE FUNCTION keep_training_mark() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  RAISE EXCEPTION 'A municipality is a training municipality from the beginning, or never.';
END $$;
CREATE TRIGGER keep_training_mark BEFORE UPDATE ON municipalities FOR EACH ROW
  WHEN (NEW.is_training IS DISTINCT FROM OLD.is_training OR OLD.is_training AND NEW.cvr IS DISTINCT FROM OLD.cvr)
  EXECUTE FUNCTION keep_training_mark();

-- The end of a reset is written with its last deletions; sweeps look for what is due, and leave these municipalities uncounted.
GRANT UPDATE (reset_due, training_since) ON municipalities TO indbakke_app;
GRANT SELECT (is_training, reset_due) ON municipalities TO indbakke_worker;
