use std::time::Duration;

use super::Settings;

const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const OTHER_KEY: &str = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";
const WEBHOOK: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";

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
fn a_certificate_and_its_key_are_set_together() {
    let directory = tempfile::tempdir().unwrap();
    let load = |names: &[&str]| {
        let variables = names.iter().map(|name| ((*name).to_owned(), "api.pem".to_owned()));
        Settings::load(variables, directory.path()).map(|(settings, _)| settings)
    };
    assert!(load(&[]).unwrap().tls_certificate.is_none());
    let settings = load(&["JUMUN_TLS_CERTIFICATE", "JUMUN_TLS_KEY"]).unwrap();
    assert!(settings.masked().contains("tls_certificate = \"api.pem\"\ntls_key = \"api.pem\"\n"));
    for (given, missing) in
        [("JUMUN_TLS_CERTIFICATE", "JUMUN_TLS_KEY"), ("JUMUN_TLS_KEY", "JUMUN_TLS_CERTIFICATE")]
    {
        let refused = load(&[given]).unwrap_err().to_string();
        assert!(refused.starts_with(&format!("{missing}: not set; use the file")), "{refused}");
    }
}

/// Loads what is built in for a profile, with one variable and what `prod` insists on.
fn load_profile(profile: &str, name: &str, value: &str) -> Settings {
    let secrets = [("JWT_SECRET", KEY), ("PII_KEY", OTHER_KEY), ("DATA_PLATFORM_SECRET", WEBHOOK)];
    let rest = [
        ("PAYMENT_GATEWAY_SECRET", WEBHOOK),
        ("DATA_PLATFORM_URL", "https://data.example.com"),
        ("PAYMENT_GATEWAY_URL", "https://pay.example.com"),
    ];
    let directory = tempfile::tempdir().unwrap();
    let variables = secrets.into_iter().chain(rest).chain([("PROFILE", profile), (name, value)]);
    let variables = variables.map(|(name, value)| (format!("JUMUN_{name}"), value.to_owned()));
    Settings::load(variables, directory.path()).unwrap().0
}

#[test]
fn documents_are_shown_in_local_and_dev_alone() {
    for (profile, asked, shown) in [
        ("local", "", true),
        ("dev", "", true),
        ("prod", "", false),
        ("prod", "true", true),
        ("local", "false", false),
    ] {
        assert_eq!(load_profile(profile, "DOCS", asked).docs, shown, "{profile} {asked}");
    }
}

#[test]
fn limits_by_address_can_be_set() {
    assert_eq!(load("JUMUN_TRUSTED_PROXIES", "1").unwrap().trusted_proxies, 1);
    for (profile, asked, limit) in [
        ("local", "", "off"),
        ("dev", "", "off"),
        ("prod", "", "60/m"),
        ("prod", "off", "off"),
        ("local", "5/s", "5/s"),
    ] {
        let settings = load_profile(profile, "SIGN_IN_LIMIT", asked);
        assert_eq!(settings.sign_in_limit.to_string(), limit, "{profile} {asked}");
    }
    let refused = load("JUMUN_TRUSTED_PROXIES", "17").unwrap_err();
    assert!(refused.ends_with("17 is out of range; use 0 to 16"), "{refused}");
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
