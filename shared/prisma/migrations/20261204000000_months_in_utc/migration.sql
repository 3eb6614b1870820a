-- Months are counted before the time gets its zone: counted after, they were those of the zone that the server or the login is set
-- to, and from summer back to winter an hour too many.
CREATE OR REPLACE FUNCTION audit_months_before(keep integer) RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT month FROM (
    SELECT replace(ltrim(c.relname, 'm'), '_', '-') AS month FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.audit_events'::regclass AND c.relname ~ '^m\d{4}_\d\d$') AS months
  WHERE audit_month_begin(month, 0) < (date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => keep)) AT TIME ZONE 'UTC'
  ORDER BY month
$$;
