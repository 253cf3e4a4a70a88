//! An account of its own on the MySQL server, whose deadlocks the server counts apart.

use std::sync::Arc;

use checkout::Checkout;
use sea_orm::{ConnectionTrait, Statement};
use storage::Database;
use testkit::fixtures::checkout_on;
use testkit::{Backend, TestDatabase};

use crate::instances::{Instances, warm};

/// Two more instances of the application, under a name of their own, so that their deadlocks are not
/// mixed up with those of a test that runs beside. SQLite has one writer and no deadlocks.
pub(crate) struct Account {
    database: Arc<TestDatabase>,
    name: Option<String>,
    pools: [Database; 2],
    checkouts: [Checkout; 2],
}

impl Account {
    pub(crate) async fn open(database: Arc<TestDatabase>, instances: &Instances) -> Self {
        let mut url = database.url.clone();
        let mut name = None;
        if database.backend == Backend::MySql {
            let (_, schema) = database.url.rsplit_once('/').expect("the address names a schema");
            let account = format!("t_{}", &schema[schema.len() - 12..]);
            database.execute(&format!("CREATE USER {account} IDENTIFIED BY ''")).await;
            database.execute(&format!("GRANT ALL ON {schema}.* TO {account}")).await;
            url = url.replacen("root@", &format!("{account}@"), 1);
            name = Some(account);
        }
        let pools = [TestDatabase::open(&url, 16).await, TestDatabase::open(&url, 16).await];
        for pool in &pools {
            warm(pool).await;
        }
        let checkouts = pools.clone().map(|pool| checkout_on(Arc::new(pool), instances.shop.clock.clone()));
        Self { database, name, pools, checkouts }
    }

    /// Returns the use cases of one instance or the other.
    pub(crate) fn checkout(&self, caller: usize) -> Checkout {
        self.checkouts[caller % 2].clone()
    }

    /// Returns the pools of the two instances.
    pub(crate) fn pools(&self) -> [Database; 2] {
        self.pools.clone()
    }

    /// Fails the test if there was a deadlock, even one that a repetition has hidden from the callers.
    pub(crate) async fn close_without_deadlocks(self) {
        let deadlocks = self.deadlocks().await;
        drop(self.checkouts);
        for pool in self.pools {
            pool.close().await.expect("the pool closes");
        }
        if let Some(name) = self.name {
            self.database.execute(&format!("DROP USER {name}")).await;
        }
        assert_eq!(deadlocks, 0, "all lock in one order, so that none waits for one that waits for it");
    }

    async fn deadlocks(&self) -> u64 {
        let Some(name) = &self.name else { return 0 };
        let connection = self.database.connect().await.expect("the database answers");
        let count = format!(
            "SELECT SUM_ERROR_RAISED AS raised FROM performance_schema.events_errors_summary_by_user_by_error \
             WHERE user = '{name}' AND error_number = 1213"
        );
        let count = Statement::from_string(connection.get_database_backend(), count);
        let row = connection.query_one_raw(count).await.expect("the database answers");
        connection.close().await.expect("the connection closes");
        row.expect("the server counts errors").try_get("", "raised").expect("a number")
    }
}
