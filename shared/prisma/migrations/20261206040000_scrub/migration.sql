-- The scrub: removes from the database's files what deleted rows leave behind.
--
-- DELETE only marks rows. Their bytes stay in pages of the table, its TOAST and its indexes, whose inner pages and word lists keep
-- values for good, until something happens to overwrite them. So a table that rows were deleted from is written anew: its live rows
-- are copied in small batches to a table beside it while a trigger repeats every change there, then the two change places, and the
-- old one is dropped with all its files. VACUUM FULL would do the same under a lock that stops intake.
--
-- Services call the functions scrub_… in public, which take the names of scrubbed tables only; the schema is closed to them.

CREATE SCHEMA scrub;

-- That rows of a table were deleted, until a rewrite begins later; and that one has ended, until the write-ahead log (pg_wal) is
-- cleared. Only added to, so that deletions do not wait for each other.
CREATE TABLE scrub.marks (table_name text NOT NULL);

-- The rewrites that have begun and not ended: after a crash they go on.
CREATE TABLE scrub.rewrites (
  table_name text PRIMARY KEY,
  state text NOT NULL DEFAULT 'copying' CHECK (state IN ('copying', 'copied', 'swapped')),
  -- First column of the primary key of the last rows that were copied.
  position uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  rows_copied bigint NOT NULL DEFAULT 0
);

-- The tables with rows about citizens, and all that hold a wrapped key: whoever has the master key could read what it opens.
CREATE FUNCTION scrub.tables() RETURNS SETOF name LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.relname FROM pg_class c
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND (
    c.relname IN ('message_details', 'message_words', 'message_parties', 'message_keys', 'message_contents', 'documents', 'files',
      'reply_references', 'journalizations', 'legal_holds')
    OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'wrapped_key' AND NOT a.attisdropped))
  ORDER BY c.relname
$$;

CREATE FUNCTION scrub.note_removal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM gone) THEN INSERT INTO scrub.marks VALUES (TG_TABLE_NAME); END IF;
  RETURN NULL;
END $$;

-- Prepares the scrubbed tables that are not prepared yet. A migration that adds such a table, or a column to one, ends with
-- SELECT scrub.prepare(). Statistics hold the commonest and some other values of a column, and are in no table that can be written
-- anew: so there are none of columns with values of citizens, files or keys.
CREATE FUNCTION scrub.prepare() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  t name;
  c name;
BEGIN
  FOR t IN SELECT * FROM scrub.tables() LOOP
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = format('public.%I', t)::regclass AND tgname = 'note_removal') THEN
      EXECUTE format('CREATE TRIGGER note_removal AFTER DELETE ON public.%I REFERENCING OLD TABLE AS gone
        FOR EACH STATEMENT EXECUTE FUNCTION scrub.note_removal()', t);
    END IF;
    FOR c IN SELECT attname FROM pg_attribute
      WHERE attrelid = format('public.%I', t)::regclass AND attnum > 0 AND NOT attisdropped
        AND atttypid IN ('text'::regtype, 'bytea'::regtype, 'json'::regtype, 'jsonb'::regtype, 'tsvector'::regtype)
        AND attname NOT IN ('municipality', 'status', 'role', 'kind', 'case_id') LOOP
      EXECUTE format('ALTER TABLE public.%I ALTER %I SET STATISTICS 0', t, c);
    END LOOP;
  END LOOP;
END $$;
SELECT scrub.prepare();

CREATE FUNCTION scrub.require_scrubbed(target text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM scrub.tables() AS t WHERE t = target) THEN RAISE 'no scrubbed table: %', target; END IF;
END $$;

-- The first column of the primary key, by which rows are copied: a uuid in all of them.
CREATE FUNCTION scrub.first_key(target text) RETURNS name LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
  WHERE i.indrelid = format('public.%I', target)::regclass AND i.indisprimary
$$;

-- The tables that a foreign key of this one names, or that name it.
CREATE FUNCTION scrub.neighbours(target text) RETURNS SETOF regclass LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT confrelid::regclass FROM pg_constraint WHERE contype = 'f' AND conrelid = format('public.%I', target)::regclass
  UNION SELECT conrelid::regclass FROM pg_constraint WHERE contype = 'f' AND confrelid = format('public.%I', target)::regclass
$$;

-- Locks tables so that whoever writes or reads waits for at most the time of lock_timeout for each. Before that it waits longer for
-- a lock that only maintenance wants: autovacuum gives way after a second, which is longer than anybody should wait behind us.
CREATE FUNCTION scrub.lock_tables(tables text, mode text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM set_config('lock_timeout', '10s', true);
  EXECUTE format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', tables);
  PERFORM set_config('lock_timeout', '150ms', true);
  EXECUTE format('LOCK TABLE %s IN %s MODE', tables, mode);
END $$;

-- The tables whose rewrite has begun and not ended, and those that rows were deleted from since their last one began, and pg_wal.
CREATE FUNCTION scrub_due(OUT name text, OUT is_begun boolean) RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
  SELECT table_name, true FROM scrub.rewrites UNION SELECT table_name, false FROM scrub.marks ORDER BY 1
$$;

-- Makes the new table, and repeats in it what is changed from then on. Nothing if that is done.
CREATE FUNCTION scrub_begin(target text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '150ms' AS $$
DECLARE
  old regclass;
  r record;
  same_row text;
BEGIN
  PERFORM scrub.require_scrubbed(target);
  IF EXISTS (SELECT FROM scrub.rewrites WHERE table_name = target) THEN RETURN; END IF;
  old := format('public.%I', target)::regclass;
  -- Until all who have written have committed: what is written after this, the trigger sees.
  PERFORM scrub.lock_tables(old::text, 'SHARE ROW EXCLUSIVE');
  EXECUTE format('CREATE TABLE scrub.%I (LIKE %s INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS)', target, old);

  -- Now, while it is empty, so that no later step is long. With the names that they have, since the schema is another one.
  FOR r IN SELECT i.indexrelid, pg_get_indexdef(i.indexrelid) AS definition, c.conname, c.contype FROM pg_index i
    LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u') WHERE i.indrelid = old LOOP
    EXECUTE regexp_replace(r.definition, ' ON public\.', ' ON scrub.');
    IF r.contype IS NOT NULL THEN
      EXECUTE format('ALTER TABLE scrub.%I ADD CONSTRAINT %I %s USING INDEX %I', target, r.conname,
        CASE r.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, r.conname);
    END IF;
  END LOOP;
  FOR r IN SELECT format('ALTER INDEX scrub.%I ALTER COLUMN %s SET STATISTICS %s', c.relname, a.attnum, a.attstattarget) AS statement
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE i.indrelid = old AND a.attstattarget >= 0 LOOP
    EXECUTE r.statement;
  END LOOP;
  FOR r IN SELECT format('ALTER TABLE scrub.%I ALTER %I SET STATISTICS %s', target, attname, attstattarget) AS statement
    FROM pg_attribute WHERE attrelid = old AND attnum > 0 AND NOT attisdropped AND attstattarget >= 0 LOOP
    EXECUTE r.statement;
  END LOOP;
  FOR r IN SELECT format('ALTER TABLE scrub.%I SET (%s)', target, array_to_string(reloptions, ', ')) AS statement
    FROM pg_class WHERE oid = old AND reloptions IS NOT NULL LOOP
    EXECUTE r.statement;
  END LOOP;

  EXECUTE format('ALTER TABLE scrub.%I ENABLE ROW LEVEL SECURITY', target);
  FOR r IN SELECT format('CREATE POLICY %I ON scrub.%I AS %s FOR %s TO %s', policyname, target, permissive, cmd,
      (SELECT string_agg(CASE role WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(role) END, ', ') FROM unnest(roles) AS role))
      || coalesce(' USING (' || qual || ')', '') || coalesce(' WITH CHECK (' || with_check || ')', '') AS statement
    FROM pg_policies WHERE schemaname = 'public' AND tablename = target LOOP
    EXECUTE r.statement;
  END LOOP;
  FOR r IN SELECT format('GRANT %s%s ON scrub.%I TO %s', acl.privilege_type, on_column, target,
      CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END) AS statement
    FROM (
      SELECT relacl AS granted, '' AS on_column, relowner FROM pg_class WHERE oid = old
      UNION ALL
      SELECT attacl, format(' (%I)', attname), relowner FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE c.oid = old
    ) AS g, aclexplode(g.granted) AS acl
    WHERE acl.grantee <> g.relowner LOOP
    EXECUTE r.statement;
  END LOOP;

  SELECT string_agg(format('%1$I = OLD.%1$I', a.attname), ' AND ') INTO same_row
  FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
  WHERE i.indrelid = old AND i.indisprimary;
  EXECUTE format($f$
    CREATE FUNCTION scrub.%1$I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    BEGIN
      IF TG_OP <> 'INSERT' THEN DELETE FROM scrub.%1$I WHERE %2$s; END IF;
      IF TG_OP <> 'DELETE' THEN INSERT INTO scrub.%1$I SELECT NEW.*; END IF;
      RETURN NULL;
    END $body$ $f$, target, same_row);
  EXECUTE format('CREATE TRIGGER scrub_repeat AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION scrub.%I()',
    old, target);

  DELETE FROM scrub.marks WHERE table_name = target;
  INSERT INTO scrub.rewrites (table_name) VALUES (target);
END $$;

-- Copies the next rows, about so many, and says how many there are now, and whether all are there. A row that is being changed is waited for shortly, so that its old
-- version is not copied after the change was repeated; a row that is being copied is changed when its batch is done.
CREATE FUNCTION scrub_copy(target text, most_keys integer, OUT done boolean, OUT copied bigint) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '150ms' AS $$
DECLARE
  rewrite scrub.rewrites;
  key constant name := scrub.first_key(target);
  last uuid;
BEGIN
  SELECT * INTO STRICT rewrite FROM scrub.rewrites WHERE table_name = target FOR UPDATE;
  copied := rewrite.rows_copied;
  done := rewrite.state <> 'copying';
  IF done THEN RETURN; END IF;
  EXECUTE format('SELECT k FROM (SELECT %1$I AS k FROM public.%2$I WHERE %1$I > $1 ORDER BY 1 LIMIT $2) AS next ORDER BY k DESC LIMIT 1',
    key, target) INTO last USING rewrite.position, most_keys;
  IF last IS NULL THEN
    -- The plans of its first statements need it.
    EXECUTE format('ANALYZE scrub.%I', target);
    UPDATE scrub.rewrites SET state = 'copied' WHERE table_name = target;
    done := true;
    RETURN;
  END IF;
  EXECUTE format('INSERT INTO scrub.%2$I SELECT * FROM public.%2$I WHERE %1$I > $1 AND %1$I <= $2 ORDER BY %1$I FOR SHARE ON CONFLICT DO NOTHING',
    key, target) USING rewrite.position, last;
  GET DIAGNOSTICS copied = ROW_COUNT;
  copied := copied + rewrite.rows_copied;
  UPDATE scrub.rewrites SET position = last, rows_copied = copied WHERE table_name = target;
END $$;

-- Puts the new table in the place of the old one, which is dropped. Takes some milliseconds when it has its locks.
CREATE FUNCTION scrub_swap(target text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '150ms' AS $$
DECLARE
  old regclass;
  keys text[];
  drops text[];
  triggers text[];
  statement text;
BEGIN
  PERFORM FROM scrub.rewrites WHERE table_name = target AND state = 'copied' FOR UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  old := format('public.%I', target)::regclass;
  PERFORM scrub.lock_tables((SELECT string_agg(t::text, ', ') FROM (
    SELECT old AS t UNION SELECT * FROM scrub.neighbours(target)) AS tables), 'ACCESS EXCLUSIVE');

  -- Foreign keys are enforced at once for what is written, and verified for the rest by scrub_end, which may take long.
  SELECT array_agg(format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID', conrelid::regclass, conname,
      regexp_replace(pg_get_constraintdef(oid), ' NOT VALID$', ''))),
    array_agg(format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname))
  INTO keys, drops FROM pg_constraint WHERE contype = 'f' AND (conrelid = old OR confrelid = old);
  SELECT array_agg(pg_get_triggerdef(oid)) INTO triggers
  FROM pg_trigger WHERE tgrelid = old AND NOT tgisinternal AND tgname <> 'scrub_repeat';

  FOREACH statement IN ARRAY coalesce(drops, '{}') LOOP EXECUTE statement; END LOOP;
  EXECUTE format('DROP TABLE %s', old);
  EXECUTE format('ALTER TABLE scrub.%I SET SCHEMA public', target);
  EXECUTE format('DROP FUNCTION scrub.%I()', target);
  FOREACH statement IN ARRAY coalesce(keys, '{}') || coalesce(triggers, '{}') LOOP EXECUTE statement; END LOOP;
  UPDATE scrub.rewrites SET state = 'swapped' WHERE table_name = target;
END $$;

-- Verifies the foreign keys anew, without stopping anybody, and ends the rewrite. Returns how many rows were copied.
CREATE FUNCTION scrub_end(target text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  statement text;
  copied bigint;
BEGIN
  SELECT rows_copied INTO copied FROM scrub.rewrites WHERE table_name = target AND state = 'swapped' FOR UPDATE;
  IF NOT FOUND THEN RETURN 0; END IF;
  FOR statement IN SELECT format('ALTER TABLE %s VALIDATE CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint
    WHERE contype = 'f' AND NOT convalidated
      AND format('public.%I', target)::regclass IN (conrelid, confrelid) LOOP
    EXECUTE statement;
  END LOOP;
  DELETE FROM scrub.rewrites WHERE table_name = target;
  INSERT INTO scrub.marks VALUES ('pg_wal');
  RETURN copied;
END $$;

-- Leaves nothing of before in the write-ahead log, and no dropped file: the log goes on in a new segment, a checkpoint ends the need
-- for those before it, and the segments that PostgreSQL keeps to write into again are filled with zeros, as a switch does. Each such
-- step in a call of its own, since whoever commits waits while a segment is filled.

-- Returns how many segments are kept; null where the owner of the tables may not do it (docs/operations.md).
CREATE FUNCTION scrub_begin_wal() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kept integer;
BEGIN
  IF NOT has_function_privilege('pg_switch_wal()', 'EXECUTE') OR NOT has_function_privilege('pg_ls_waldir()', 'EXECUTE')
    OR NOT EXISTS (SELECT FROM pg_roles WHERE (rolname = 'pg_checkpoint' AND pg_has_role(oid, 'USAGE')) OR (rolname = current_user AND rolsuper))
  THEN
    DELETE FROM scrub.marks WHERE table_name = 'pg_wal';
    RETURN NULL;
  END IF;
  PERFORM public.scrub_fill_wal();
  EXECUTE 'CHECKPOINT';
  SELECT count(*) INTO kept FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$' AND name > pg_walfile_name(pg_current_wal_lsn());
  RETURN kept;
END $$;

CREATE FUNCTION scrub_fill_wal() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_logical_emit_message(false, 'scrub', ''), pg_switch_wal(); -- an empty segment is not left
END $$;

CREATE FUNCTION scrub_end_wal() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE 'CHECKPOINT';
  DELETE FROM scrub.marks WHERE table_name = 'pg_wal';
END $$;

REVOKE EXECUTE ON FUNCTION scrub_due, scrub_begin, scrub_copy, scrub_swap, scrub_end, scrub_begin_wal, scrub_fill_wal, scrub_end_wal FROM PUBLIC;
GRANT EXECUTE ON FUNCTION scrub_due, scrub_begin, scrub_copy, scrub_swap, scrub_end, scrub_begin_wal, scrub_fill_wal, scrub_end_wal TO indbakke_worker;
