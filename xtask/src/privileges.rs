//! Rights that others must not have in the database, or objects placed there would run in requests.
use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use functions::statements;
use tokio_postgres::Client;

use crate::login::Access;

/// The roles of functions and app, and their logins: members who may not make others members.
/// The owner of the tables, `$2`, is none of them.
fn ours() -> String {
    let [functions, app] = Access::ROLES;
    format!(
        "ours AS (
        SELECT oid, rolname FROM pg_roles WHERE rolname IN ('{functions}', '{app}')
        UNION
        SELECT login.oid, login.rolname
        FROM ours JOIN pg_auth_members ON roleid = ours.oid JOIN pg_roles login ON login.oid = member
        WHERE login.rolname NOT IN ($2, current_user)
          AND NOT login.rolsuper AND NOT EXISTS (
              SELECT FROM pg_auth_members
              WHERE roleid = ours.oid AND member = login.oid AND admin_option))"
    )
}

/// Where the tables are, and whose they are.
pub(crate) struct Tables {
    /// The schemas in which the owner's sessions look names up.
    path: Vec<String>,
    /// The tables' schema; in a new database, that of the tables to come.
    pub(crate) schema: String,
    /// Their owner.
    pub(crate) owner: String,
    /// Whether they exist.
    pub(crate) exist: bool,
}

impl Tables {
    /// Finds the tables. From here on the session looks names up in the catalog alone, so that it
    /// runs nothing that was planted elsewhere.
    pub(crate) async fn find(client: &Client) -> Result<Self> {
        let path = client.query_one("SELECT pg_catalog.current_schemas(false)", &[]).await?;
        let path: Vec<String> = path.get(0);
        client.batch_execute("SET search_path = pg_catalog").await?;
        let tables = "
            SELECT nspname::text, pg_get_userbyid(relowner)::text
            FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE relname = 'idempotency_keys' AND nspname = ANY ($1::text[])
            ORDER BY array_position($1::text[], nspname::text) LIMIT 1";
        let found = client.query_opt(tables, &[&path]).await?;
        let (schema, owner) = if let Some(row) = &found {
            (row.get(0), row.get(1))
        } else {
            let user = client.query_one("SELECT current_user::text", &[]).await?;
            let schema = path.first().context("no schema of the search path exists")?;
            (schema.clone(), user.get(0))
        };
        Ok(Self { path, schema, owner, exist: found.is_some() })
    }

    /// Fails with the SQL that ends it if somebody else may create objects where requests, or the
    /// app, look names up, or has placed a routine there.
    pub(crate) async fn check_creators(&self, client: &Client) -> Result<()> {
        let remedies = format!(
            "
            WITH RECURSIVE {}, place AS (
                SELECT 'SCHEMA ' || quote_ident(nspname) AS place, nspowner AS owner,
                    coalesce(nspacl, acldefault('n', nspowner)) AS acl
                FROM pg_namespace
                WHERE nspname = ANY ($1::text[]) OR nspname IN (SELECT rolname FROM ours)
                UNION ALL
                SELECT 'DATABASE ' || quote_ident(datname), datdba,
                    coalesce(datacl, acldefault('d', datdba))
                FROM pg_database WHERE datname = current_database()
            ), creator AS (
                SELECT place, grantee, grantor FROM place, aclexplode(acl)
                WHERE privilege_type = 'CREATE'
            ), remedy AS (
                SELECT format('ALTER %s OWNER TO %I', place, $2) AS sql, owner AS by
                FROM place WHERE owner IN (SELECT oid FROM ours)
                UNION
                SELECT format('REVOKE CREATE ON %s FROM %s', place, CASE grantee
                    WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END), grantor
                FROM creator WHERE grantee = 0 OR grantee IN (SELECT oid FROM ours)
                UNION
                SELECT format('REVOKE %I FROM %I', pg_get_userbyid(roleid), rolname), grants.grantor
                FROM creator, pg_auth_members grants JOIN ours ON member = ours.oid
                WHERE roleid NOT IN (SELECT oid FROM ours) AND grantee <> 0
                  AND pg_has_role(roleid, grantee, 'MEMBER')
                UNION
                SELECT format('DROP ROUTINE %s', pg_proc.oid::regprocedure), proowner
                FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
                WHERE nspname = ANY ($1::text[]) AND (
                    proowner IN (SELECT oid FROM ours)
                    OR proname = ANY ($3::text[]) AND pg_get_userbyid(proowner) <> $2
                    -- Planted while anybody could, under the name of a function of PostgreSQL.
                    OR NOT has_schema_privilege(proowner, pronamespace, 'CREATE')
                    AND proname IN (SELECT proname FROM pg_proc
                        WHERE pronamespace = 'pg_catalog'::regnamespace))
            )
            SELECT sql || '; -- as ' || pg_get_userbyid(
                CASE by WHEN 'pg_database_owner'::regrole THEN datdba ELSE by END)
            FROM remedy, pg_database WHERE datname = current_database() ORDER BY 1",
            ours()
        );
        let routines: Vec<_> = statements().iter().map(|statement| statement.routine()).collect();
        let rows = client.query(&remedies, &[&self.path, &self.owner, &routines]).await?;
        let remedies: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        ensure!(
            remedies.is_empty(),
            "others can place objects where requests look names up, or have done so: run this SQL as the roles in its comments, then try again\n  {}",
            remedies.join("\n  ")
        );
        Ok(())
    }

    /// Refuses an existing role with more rights than requests need: the role of `access`, or a
    /// login.
    pub(crate) async fn check_role(
        &self,
        client: &Client,
        access: Access,
        name: &str,
    ) -> Result<()> {
        let is_login = name != access.role();
        let powers = "
            SELECT array_remove(ARRAY[
                CASE WHEN rolsuper THEN 'SUPERUSER' END,
                CASE WHEN rolbypassrls THEN 'BYPASSRLS' END,
                CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
                CASE WHEN rolcreatedb THEN 'CREATEDB' END,
                CASE WHEN rolreplication THEN 'REPLICATION' END,
                (SELECT 'member of ' || string_agg(quote_ident(parent.rolname), ', ')
                 FROM pg_auth_members JOIN pg_roles parent ON parent.oid = roleid
                 WHERE member = checked.oid AND NOT ($3 AND parent.rolname = $4)),
                (SELECT 'with the members ' || string_agg(quote_ident(child.rolname), ', ')
                 FROM pg_auth_members JOIN pg_roles child ON child.oid = member
                 WHERE $3 AND roleid = checked.oid AND child.rolname NOT IN ($2, current_user)),
                (SELECT 'owner of objects' FROM pg_shdepend
                 WHERE refclassid = 'pg_authid'::regclass AND refobjid = checked.oid
                   AND deptype = 'o' LIMIT 1)], NULL)
            FROM pg_roles checked WHERE rolname = $1";
        let role = access.role();
        let powers = client.query_one(powers, &[&name, &self.owner, &is_login, &role]).await?;
        let mut powers: Vec<String> = powers.get(0);
        let grants = self.grants(client, name, is_login).await?;
        if is_login {
            powers.extend(grants);
        } else if let Some(granted) = self.granted(client, access).await? {
            powers.extend(grants.difference(&granted).cloned());
        }
        ensure!(
            powers.is_empty(),
            "the role {name} exists already and has powers that a request must not have ({}): revoke them, or drop the role",
            powers.join(", ")
        );
        Ok(())
    }

    /// What a role has been granted in this database, in words. What its logins own does not
    /// count: they can grant that to whom they like. Of a `login`, other databases count too.
    async fn grants(&self, client: &Client, role: &str, login: bool) -> Result<BTreeSet<String>> {
        let grants = format!(
            "
            WITH RECURSIVE {}, checked AS (
                SELECT pg_roles.oid AS id, pg_database.oid AS here FROM pg_roles, pg_database
                WHERE rolname = $1 AND datname = current_database()
            ), acl AS (
                SELECT 'SCHEMA ' || nspname AS place, '' AS part, nspacl AS acl, nspowner AS owner
                FROM pg_namespace
                UNION ALL
                SELECT 'DATABASE ' || datname, '', datacl, datdba FROM pg_database, checked
                WHERE pg_database.oid = here
                UNION ALL
                SELECT nspname || '.' || relname, '', relacl, relowner
                FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                UNION ALL
                SELECT nspname || '.' || relname, ' (' || attname || ')', attacl, relowner
                FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
                JOIN pg_namespace ON pg_namespace.oid = relnamespace
            )
            SELECT privilege_type || part || ' ON ' || place
                || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
            FROM checked, acl, aclexplode(acl)
            WHERE grantee = id AND owner NOT IN (SELECT oid FROM ours)
              -- Everybody may connect, unless that was revoked.
              AND (privilege_type <> 'CONNECT' OR is_grantable)
            UNION
            SELECT CASE WHEN dbid IN (0, here) THEN pg_describe_object(classid, objid, objsubid)
                ELSE (SELECT 'objects of ' || datname FROM pg_database WHERE oid = dbid) END
            FROM checked, pg_shdepend given
            WHERE refclassid = 'pg_authid'::regclass AND refobjid = id AND deptype IN ('a', 'r')
              AND ($3 OR dbid = here OR dbid = 0 AND classid <> 'pg_database'::regclass)
              AND NOT (dbid = here AND classid IN ('pg_namespace'::regclass, 'pg_class'::regclass))
              AND NOT (classid = 'pg_database'::regclass AND objid = here)
              AND NOT EXISTS (
                  SELECT FROM pg_shdepend owned JOIN ours ON owned.refobjid = ours.oid
                  WHERE owned.deptype = 'o' AND (owned.dbid, owned.classid, owned.objid)
                      = (given.dbid, given.classid, given.objid))",
            ours()
        );
        let rows = client.query(&grants, &[&role, &self.owner, &login]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// What the migrations grant to the role of `access`; `None` if those of a newer version, which
    /// are unknown here, have run.
    async fn granted(&self, client: &Client, access: Access) -> Result<Option<BTreeSet<String>>> {
        let (history, migrations) = access.migrations(&self.schema)?;
        let exists = "SELECT to_regclass($1) IS NOT NULL";
        if client.query_one(exists, &[&history]).await?.get(0) {
            let applied = client.query_one(&format!("SELECT count(*) FROM {history}"), &[]).await?;
            if applied.get::<_, i64>(0) > i64::try_from(migrations.len())? {
                return Ok(None);
            }
        }
        let schema = &self.schema;
        let mut granted = BTreeSet::from([format!("USAGE ON SCHEMA {schema}")]);
        for (right, object) in migrations.iter().flat_map(|text| grants_to(access.role(), text)) {
            granted.insert(format!("{right} ON {schema}.{object}"));
        }
        Ok(Some(granted))
    }
}

/// The rights that a migration grants to a role, and the object of each.
fn grants_to(role: &str, migration: &str) -> Vec<(String, String)> {
    let comment = |line: &&str| line.trim_start().starts_with("--");
    let lines: Vec<_> = migration.lines().filter(|line| !comment(line)).collect();
    let to_role = format!(" TO {role}");
    let mut grants = Vec::new();
    for statement in lines.join(" ").split(';') {
        let statement = statement.split_whitespace().collect::<Vec<_>>().join(" ");
        let grant = statement.strip_prefix("GRANT ").and_then(|it| it.strip_suffix(&to_role));
        let Some((rights, objects)) = grant.and_then(|grant| grant.split_once(" ON ")) else {
            continue;
        };
        for object in objects.split(", ") {
            let object = object.trim_start_matches("SEQUENCE ").trim_matches('"');
            grants.extend(each(rights).into_iter().map(|right| (right, object.to_owned())));
        }
    }
    grants
}

/// Each right of a list; of `INSERT (a, b)` that to each column.
fn each(rights: &str) -> Vec<String> {
    let mut of_columns = None;
    let mut each = Vec::new();
    for part in rights.split(", ") {
        let (right, column) = match (part.split_once(" ("), of_columns) {
            (Some((right, column)), _) => (right, Some(column)),
            (None, Some(right)) => (right, Some(part)),
            (None, None) => (part, None),
        };
        each.push(match column {
            Some(column) => format!("{right} ({})", column.trim_end_matches(')')),
            None => right.to_owned(),
        });
        of_columns = column.filter(|column| !column.ends_with(')')).map(|_| right);
    }
    each
}

/// A name as SQL.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grants_of_a_migration_are_read_from_its_text() {
        let text = "-- GRANT ALL ON x TO r;\nGRANT SELECT,\n  INSERT (a, b), UPDATE (c)\n  ON t TO r; \
            GRANT USAGE ON SEQUENCE s TO r;\n--> GRANT\nGRANT SELECT ON \"user\", \"v\" TO r; GRANT SELECT ON t TO q";
        let grants = grants_to("r", text).into_iter().map(|(right, of)| format!("{right} {of}"));
        assert_eq!(
            grants.collect::<Vec<_>>(),
            [
                "SELECT t",
                "INSERT (a) t",
                "INSERT (b) t",
                "UPDATE (c) t",
                "USAGE s",
                "SELECT user",
                "SELECT v"
            ]
        );
    }

    #[test]
    fn every_right_that_the_migrations_grant_is_read() {
        for (access, table, count) in [(Access::Functions, "tasks", 20), (Access::App, "user", 20)]
        {
            let (_, migrations) = access.migrations("public").unwrap();
            let grants = migrations.iter().flat_map(|text| grants_to(access.role(), text));
            let grants: Vec<_> = grants.collect();
            assert!(grants.len() >= count, "{grants:?}");
            assert!(grants.contains(&("SELECT".to_owned(), table.to_owned())), "{grants:?}");
        }
    }
}
