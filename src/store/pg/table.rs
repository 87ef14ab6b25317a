//! The table of states: `SCHEMA.states(id, name, data)`, a row for each workspace.

use tokio_postgres::GenericClient;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};

use super::error::Failed;

/// How often it is tried to create what somebody else creates at the same time.
const TRIES: usize = 5;

/// Where the states are. Names are quoted wherever they are used.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) index: String,
    pub(super) skips: Skips,
}

/// What is not to be created, even where it is missing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Skips {
    pub(super) schema: bool,
    pub(super) table: bool,
    pub(super) index: bool,
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Table {
    /// Returns the table as SQL names it.
    pub(super) fn sql(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }

    /// Returns the keys of the locks under which workspaces are created: Terraform's, and the one of
    /// OpenTofu since 1.10.
    pub(super) fn creation_keys(&self) -> [i64; 2] {
        let text = [self.schema.as_bytes(), &[0], self.name.as_bytes()].concat();
        let hash = text
            .iter()
            .fold(0x811c_9dc5_u32, |hash, byte| hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte));
        [-1, -i64::from(hash)]
    }

    /// Creates what is missing of the table, as Terraform does.
    pub(super) async fn create(&self, client: &impl GenericClient) -> Result<(), Failed> {
        // Two who create at once can meet in the catalogue, `IF NOT EXISTS` or not.
        let met = [
            SqlState::UNIQUE_VIOLATION,
            SqlState::DUPLICATE_TABLE,
            SqlState::DUPLICATE_SCHEMA,
            SqlState::DUPLICATE_OBJECT,
        ];
        let mut tries = 0;
        loop {
            match self.create_once(client).await {
                Err(failed) if failed.is(&met) && tries < TRIES => tries += 1,
                other => return other,
            }
        }
    }

    async fn create_once(&self, client: &impl GenericClient) -> Result<(), Failed> {
        let schema = quoted(&self.schema);
        let table = self.sql();
        // Even `IF NOT EXISTS` needs the right to create one.
        let exist = "SELECT to_regnamespace($1) IS NOT NULL, to_regclass($2) IS NOT NULL";
        let names = [(&schema as &(dyn ToSql + Sync), Type::TEXT), (&table, Type::TEXT)];
        let row = client.query_typed_one(exist, &names).await?;
        let (has_schema, has_table): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
        if has_table {
            return Ok(());
        }
        // Who may not create a table has none to write to, and is told so by the write.
        if self.skips.table {
            return Ok(());
        }
        let mut steps = Vec::new();
        if !has_schema && !self.skips.schema {
            steps.push(format!("CREATE SCHEMA IF NOT EXISTS {schema}"));
        }
        steps
            .push("CREATE SEQUENCE IF NOT EXISTS public.global_states_id_seq AS bigint".to_owned());
        steps.push(format!(
            "CREATE TABLE IF NOT EXISTS {table} (\
             id bigint NOT NULL DEFAULT nextval('public.global_states_id_seq') PRIMARY KEY, \
             name text UNIQUE, data text)"
        ));
        if !self.skips.index {
            let index = quoted(&self.index);
            steps.push(format!("CREATE UNIQUE INDEX IF NOT EXISTS {index} ON {table} (name)"));
        }
        for step in steps {
            client.batch_execute(&step).await?;
        }
        Ok(())
    }
}

/// Whether this is what a database says where there is no table yet.
pub(super) fn is_missing(failed: &Failed) -> bool {
    failed.is(&[SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(schema: &str) -> Table {
        let (name, index) = ("states".to_owned(), "states_by_name".to_owned());
        Table { schema: schema.to_owned(), name, index, skips: Skips::default() }
    }

    #[test]
    fn names_are_quoted() {
        assert_eq!(table("a\"; DROP").sql(), "\"a\"\"; DROP\".\"states\"");
    }

    #[test]
    fn opentofu_creates_under_a_key_of_its_own() {
        // FNV-1 of "a" is 0x050c5d7e; this is the same function over more bytes.
        let [terraform, tofu] = table("terraform_remote_state").creation_keys();
        assert_eq!(terraform, -1);
        assert!(tofu < -1 && tofu > -(1 << 32));
        assert_ne!(tofu, table("other").creation_keys()[1]);
    }
}
