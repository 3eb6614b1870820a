-- What /readyz asks, for roles that may not read the tables behind it: names only.

CREATE FUNCTION applied_migrations() RETURNS SETOF text LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  RETURN QUERY SELECT migration_name::text FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL;
END $$;
REVOKE EXECUTE ON FUNCTION applied_migrations() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION applied_migrations() TO indbakke_app;

-- The master keys of the oldest and the newest content: ids grow with time, so the primary key finds both at once.
CREATE FUNCTION master_keys_in_use() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  (SELECT key_id FROM message_keys ORDER BY message_id LIMIT 1)
  UNION
  (SELECT key_id FROM message_keys ORDER BY message_id DESC LIMIT 1)
$$;
REVOKE EXECUTE ON FUNCTION master_keys_in_use() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION master_keys_in_use() TO indbakke_worker;
