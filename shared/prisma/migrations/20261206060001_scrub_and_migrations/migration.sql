-- Gives up the rewrites that have begun, so that a migration finds no second form of a table that it changes; the next scrub begins them
-- anew. Until the migration ends, none goes on or begins. Called at the beginning of each migration.
CREATE FUNCTION scrub.abandon() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  t name;
BEGIN
  LOCK TABLE scrub.rewrites IN EXCLUSIVE MODE;
  FOR t IN SELECT table_name FROM scrub.rewrites WHERE state <> 'swapped' ORDER BY 1 LOOP
    EXECUTE format('DROP TRIGGER scrub_repeat ON public.%I', t);
    EXECUTE format('DROP FUNCTION scrub.%I()', t);
    EXECUTE format('DROP TABLE scrub.%I', t);
    DELETE FROM scrub.rewrites WHERE table_name = t;
    INSERT INTO scrub.marks VALUES (t);
  END LOOP;
END $$;
