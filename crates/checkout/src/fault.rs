//! Points at which a test can kill the process, to see that nothing is left half done.
//!
//! They exist in builds with the feature `fault-points` alone, which only tests switch on.

/// Ends the process at once, as a crash would, if the variable `FAULT_POINT` names this point.
#[cfg(feature = "fault-points")]
pub(crate) fn point(name: &str) {
    if std::env::var("FAULT_POINT").is_ok_and(|chosen| chosen == name) {
        std::process::abort();
    }
}

/// Does nothing outside tests.
#[cfg(not(feature = "fault-points"))]
pub(crate) const fn point(_: &str) {}
