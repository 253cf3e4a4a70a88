use std::time::Duration;

use super::Settings;

/// Loads what is built in for `local`, with one variable.
fn load(name: &str, value: &str) -> Result<Settings, String> {
    let directory = tempfile::tempdir().unwrap();
    let loaded = Settings::load([(name.to_owned(), value.to_owned())], directory.path());
    loaded.map(|(settings, _)| settings).map_err(|error| error.to_string())
}

#[test]
fn what_connections_may_cost_can_be_set() {
    let settings = load("JUMUN_HTTP_MAX_CONNECTIONS", "50000").unwrap();
    assert_eq!((settings.http_max_connections, settings.http_backlog), (50_000, 4_096));
    assert_eq!(load("JUMUN_HTTP_BACKLOG", "1024").unwrap().http_backlog, 1_024);
    assert_eq!(load("JUMUN_HTTP_KEEP_ALIVE", "30s").unwrap().http_keep_alive, Duration::from_secs(30));
}

#[test]
fn connections_cannot_be_forbidden() {
    for (name, value, expected) in [
        ("JUMUN_HTTP_MAX_CONNECTIONS", "0", "0 is out of range; use 1 to 1000000"),
        ("JUMUN_HTTP_BACKLOG", "0", "0 is out of range; use 1 to 65535"),
        ("JUMUN_HTTP_KEEP_ALIVE", "1ms", "is out of range"),
    ] {
        let refused = load(name, value).unwrap_err();
        assert!(refused.contains(name) && refused.contains(expected), "{refused}");
    }
}
