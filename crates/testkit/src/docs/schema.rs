//! The schema as the migrations leave it, read from SQLite.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement};

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as it was declared.
    pub declared: String,
    /// Whether it may be missing.
    pub optional: bool,
    /// Whether it is part of the primary key.
    pub primary: bool,
}

/// Columns that name a row of another table, which the database checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignKey {
    /// The table that is referred to.
    pub table: String,
    /// The columns that refer to it.
    pub columns: Vec<String>,
}

/// What no two rows have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniqueKey {
    /// The columns; none if it is over an expression.
    pub columns: Vec<String>,
    /// The expression, where it is over one.
    pub expression: Option<String>,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in their order.
    pub columns: Vec<Column>,
    /// Its foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// Its unique keys, the primary key left out.
    pub unique_keys: Vec<UniqueKey>,
}

/// All tables, by name; that of the migrations themselves is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// The tables.
    pub tables: Vec<Table>,
}

impl Schema {
    /// Reads the schema of a SQLite database.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn read(connection: &DatabaseConnection) -> Result<Self, DbErr> {
        let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'seaql_migrations' \
                     AND name NOT LIKE 'sqlite_%' ORDER BY name";
        let mut tables = Vec::new();
        for row in query(connection, names).await? {
            tables.push(Table::read(connection, row.try_get("", "name")?).await?);
        }
        Ok(Self { tables })
    }
}

impl Table {
    async fn read(connection: &DatabaseConnection, name: String) -> Result<Self, DbErr> {
        let mut table = Self { name, ..Self::default() };
        let columns = format!("SELECT name, type, \"notnull\", pk FROM pragma_table_info('{}')", table.name);
        for row in query(connection, &columns).await? {
            table.columns.push(Column {
                name: row.try_get("", "name")?,
                declared: row.try_get("", "type")?,
                optional: !row.try_get::<bool>("", "notnull")?,
                primary: row.try_get::<i32>("", "pk")? > 0,
            });
        }
        let keys = format!(
            "SELECT \"table\", group_concat(\"from\") AS columns FROM \
             (SELECT * FROM pragma_foreign_key_list('{}') ORDER BY id, seq) GROUP BY id ORDER BY id",
            table.name
        );
        for row in query(connection, &keys).await? {
            let columns = split(&row.try_get::<String>("", "columns")?);
            table.foreign_keys.push(ForeignKey { table: row.try_get("", "table")?, columns });
        }
        let unique = format!(
            "SELECT list.name, (SELECT sql FROM sqlite_master WHERE name = list.name) AS sql, \
             (SELECT group_concat(name) FROM (SELECT name FROM pragma_index_info(list.name) ORDER BY seqno)) \
             AS columns FROM pragma_index_list('{}') AS list WHERE list.\"unique\" AND list.origin <> 'pk' \
             ORDER BY list.name",
            table.name
        );
        for row in query(connection, &unique).await? {
            let columns: Option<String> = row.try_get("", "columns")?;
            let sql: Option<String> = row.try_get("", "sql")?;
            let expression = sql.as_deref().and_then(|sql| sql.split_once("(("));
            let expression = expression.and_then(|(_, rest)| rest.strip_suffix("))"));
            table.unique_keys.push(UniqueKey {
                columns: columns.as_deref().map(split).unwrap_or_default(),
                expression: expression.map(str::to_owned),
            });
        }
        Ok(table)
    }

    /// Returns a column.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Returns the columns of the primary key.
    pub fn primary_key(&self) -> Vec<&str> {
        self.columns.iter().filter(|column| column.primary).map(|column| column.name.as_str()).collect()
    }
}

fn split(list: &str) -> Vec<String> {
    list.split(',').map(str::to_owned).collect()
}

async fn query(connection: &DatabaseConnection, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
    connection.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await
}
