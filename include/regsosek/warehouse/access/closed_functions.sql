-- Run by a superuser in the warehouse's database, any number of times: by docker/warehouse-accounts.sh, by the local
-- stack, and by `regsosek migrate` where its account is one. PostgreSQL lets every login take any advisory lock, by which
-- nights and releases wait for each other, and fill the disk with large objects. Here the parts that take locks may, and
-- who owns the database or its schemas; objects nobody makes.
DO $$
DECLARE
    function oid;
    worker name;
    workers name[] := ARRAY(
        SELECT rolname FROM pg_roles
        WHERE rolname IN ('regsosek_loader', 'regsosek_publisher', 'regsosek_alerter', 'regsosek_portal')
              OR oid = (SELECT datdba FROM pg_database WHERE datname = current_database())
              OR oid IN (SELECT nspowner FROM pg_namespace WHERE nspname = 'ledger')
    );
BEGIN
    FOR function IN
        SELECT oid FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace
        AND proname ~ '^(pg_(try_)?advisory_(xact_)?lock(_shared)?|lo_creat|lo_create|lo_from_bytes)$'
    LOOP
        IF has_function_privilege('public', function, 'EXECUTE') THEN
            EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', function::regprocedure);
        END IF;
        FOREACH worker IN ARRAY workers LOOP
            IF function::regprocedure::text LIKE 'pg%' AND NOT has_function_privilege(worker, function, 'EXECUTE') THEN
                EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', function::regprocedure, worker);
            END IF;
        END LOOP;
    END LOOP;
END $$;
