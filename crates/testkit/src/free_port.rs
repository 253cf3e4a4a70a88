//! Ports for servers that are started for a test.

use std::net::TcpListener;

use testcontainers_modules::testcontainers::core::error::TestcontainersError;

/// Returns a port that is free on this machine.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16, TestcontainersError> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(TestcontainersError::other)?;
    Ok(listener.local_addr().map_err(TestcontainersError::other)?.port())
}
