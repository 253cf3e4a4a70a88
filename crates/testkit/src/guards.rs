//! Which test fails without which guard, and how that is tried.

use std::fmt::Write;

use ::guards::Guard;

/// What a guard is for, and the test that fails without it.
pub struct Caught {
    /// The guard.
    pub guard: Guard,
    /// What happens without it.
    pub without: &'static str,
    /// The package of the test.
    pub package: &'static str,
    /// The target of the test within its package; the name of the package's library for a test inside it.
    pub target: &'static str,
    /// The file of the test.
    pub file: &'static str,
    /// The name of the test.
    pub test: &'static str,
    /// Whether the test needs MySQL: the others run anywhere.
    pub on_mysql: bool,
}

/// All guards.
pub const CAUGHT: [Caught; 9] = [
    Caught {
        guard: Guard::RowLock,
        without: "two decide on the same stock or balance, and one has to do it again",
        package: "storage",
        target: "concurrency",
        file: "crates/adapters/storage/tests/concurrency/lock_order.rs",
        test: "a_set_of_orders_locks_row_by_row_in_the_one_order",
        on_mysql: true,
    },
    Caught {
        guard: Guard::ConditionalUpdate,
        without: "who decided on an old version overwrites what came between",
        package: "storage",
        target: "concurrency",
        file: "crates/adapters/storage/tests/concurrency/guards.rs",
        test: "changes_by_those_who_do_not_lock_all_count",
        on_mysql: false,
    },
    Caught {
        guard: Guard::UniqueKey,
        without: "a user holds two pieces of a coupon",
        package: "storage",
        target: "contract",
        file: "crates/testkit/src/contract/coupons.rs",
        test: "a_user_holds_one_piece",
        on_mysql: false,
    },
    Caught {
        guard: Guard::IdempotencyRow,
        without: "a request that is sent again takes effect again",
        package: "storage",
        target: "concurrency",
        file: "crates/adapters/storage/tests/concurrency/idempotency.rs",
        test: "fifty_twins_of_one_request_make_one_order",
        on_mysql: false,
    },
    Caught {
        guard: Guard::LockOrder,
        without: "transactions wait for each other in a ring, and one of them is thrown away",
        package: "storage",
        target: "concurrency",
        file: "crates/adapters/storage/tests/concurrency/lock_order.rs",
        test: "a_set_of_orders_locks_row_by_row_in_the_one_order",
        on_mysql: true,
    },
    Caught {
        guard: Guard::OutboxInTransaction,
        without: "what was rolled back is told to others, or what was committed is not",
        package: "storage",
        target: "contract",
        file: "crates/testkit/src/contract/outbox.rs",
        test: "a_rolled_back_transaction_tells_nothing",
        on_mysql: false,
    },
    Caught {
        guard: Guard::GateRebuildLock,
        without: "every instance builds the gate that is missing, all at once",
        package: "coordination",
        target: "coordination",
        file: "crates/coordination/src/exclusively.rs",
        test: "nothing_is_done_while_somebody_else_has_the_lock",
        on_mysql: false,
    },
    Caught {
        guard: Guard::DetachedWork,
        without: "a client that goes away ends a transaction in the middle of a statement",
        package: "checkout",
        target: "runner",
        file: "crates/checkout/tests/runner/scripts.rs",
        test: "a_script_goes_on_to_its_end_when_its_caller_goes_away",
        on_mysql: false,
    },
    Caught {
        guard: Guard::RollbackOnRelease,
        without: "the next borrower of a connection writes into somebody else's transaction",
        package: "storage",
        target: "concurrency",
        file: "crates/adapters/storage/tests/concurrency/pool.rs",
        test: "a_pool_survives_borrowers_who_are_cancelled",
        on_mysql: true,
    },
];

/// Writes the page that shows them.
pub fn page() -> String {
    let mut page = String::from(
        "# Guards and the tests that miss them\n\n\
         Each of these is taken out, one at a time, by `make guards`, and the test beside it has to fail then. A\n\
         build for tests knows the switch `removable` of [guards](../crates/guards/src/lib.rs); the service that is\n\
         deployed does not have it. `make guards-page` writes this page from\n\
         [testkit](../crates/testkit/src/guards.rs).\n\n\
         | guard | without it | the test that fails |\n|---|---|---|\n",
    );
    for caught in &CAUGHT {
        let Caught { guard, without, file, test, .. } = caught;
        let _ = writeln!(page, "| {} | {without} | [{test}](../{file}) |", guard.name());
    }
    page
}
