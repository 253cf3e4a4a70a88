//! The contract of every storage port, on SQLite and on MySQL.

fn main() {
    testkit::run(testkit::contract::storage());
}
