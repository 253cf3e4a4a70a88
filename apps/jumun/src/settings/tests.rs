use std::fs;
use std::path::Path;

use super::*;

const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const OTHER_KEY: &str = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";
const WEBHOOK: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
const NOTICES: &str = "whsec_NzY1NDMyMTBmZWRjYmE5ODc2NTQzMjEw";
/// The secrets come first.
const PROD: [(&str, &str); 7] = [
    ("JUMUN_JWT_SECRET", KEY),
    ("JUMUN_PII_KEY", OTHER_KEY),
    ("JUMUN_DATA_PLATFORM_SECRET", WEBHOOK),
    ("JUMUN_PAYMENT_GATEWAY_SECRET", NOTICES),
    ("JUMUN_PROFILE", "prod"),
    ("JUMUN_DATA_PLATFORM_URL", "https://data.example.com/feed"),
    ("JUMUN_PAYMENT_GATEWAY_URL", "https://pay.example.com"),
];

type Loaded = Result<(Settings, Vec<String>), SettingsError>;

/// Loads from a directory; an empty variable is one that is not given, so that a test can take one away.
fn load_in(directory: &Path, variables: &[&[(&str, &str)]]) -> Loaded {
    let pairs = variables.concat();
    Settings::load(pairs.into_iter().map(|(name, value)| (name.into(), value.into())), directory)
}

fn load(variables: &[&[(&str, &str)]]) -> Loaded {
    load_in(tempfile::tempdir().unwrap().path(), variables)
}

fn local(variables: &[(&str, &str)]) -> Settings {
    load(&[variables]).unwrap().0
}

/// Returns the message about what cannot be loaded; it is one line.
fn refusal(loaded: Loaded) -> String {
    let message = loaded.unwrap_err().to_string();
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

fn write(directory: &Path, file: &str, contents: &str) {
    fs::create_dir_all(directory.join(file).parent().unwrap()).unwrap();
    fs::write(directory.join(file), contents).unwrap();
}

#[test]
fn nothing_has_to_be_given_in_local() {
    let (settings, unknown) = load(&[]).unwrap();
    assert!(unknown.is_empty());
    assert_eq!(settings.profile, Profile::Local);
    assert_eq!(settings.http_addr.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.http_workers, None);
    assert_eq!(settings.shutdown_timeout, Duration::from_secs(30));
    assert_eq!(settings.database_url.expose(), "sqlite://data/jumun.db?mode=rwc");
    assert!(settings.database_url.is_sqlite());
    assert_eq!(settings.database_max_connections, 20);
    assert!(settings.redis_url.is_none());
    assert_eq!(settings.auth, AuthMode::Header);
    assert!(!settings.trusted_gateway);
    assert!(settings.data_platform_url.is_none() && settings.payment_gateway_url.is_none());
    assert_eq!(settings.stand_ins_addr.unwrap().to_string(), "127.0.0.1:8081");
    assert!(settings.stand_ins_notice_url.is_none());
    assert!(settings.worker && settings.worker_http_addr.is_none());
    assert_eq!(settings.rate_limit.to_string(), "100/s");
    assert_eq!(settings.order_payment_window, Duration::from_mins(30));
    assert_eq!(settings.idempotency_ttl, Duration::from_hours(24));
    assert_eq!(settings.business_zone, Tz::Asia__Seoul);
    assert_eq!(settings.log.as_str(), "info");
    assert_eq!(settings.log_format, LogFormat::Text);
}

#[test]
fn the_secrets_of_local_are_four_different_ones() {
    let settings = local(&[]);
    assert!(settings.jwt_secret != settings.pii_key);
    assert!(settings.data_platform_secret != settings.payment_gateway_secret);
    for webhook in [&settings.data_platform_secret, &settings.payment_gateway_secret] {
        let key = webhook.expose().strip_prefix("whsec_").unwrap();
        assert_ne!(SecretKey::parse(key).as_ref(), Some(&settings.jwt_secret));
    }
}

#[test]
fn dev_believes_the_header_and_has_no_secrets_of_its_own() {
    let dev = ("JUMUN_PROFILE", "dev");
    let settings = load(&[&PROD, &[dev, ("JUMUN_DATA_PLATFORM_URL", "")]]).unwrap().0;
    assert_eq!((settings.profile, settings.auth), (Profile::Dev, AuthMode::Header));
    assert_eq!((settings.worker, settings.log_format), (false, LogFormat::Json));
    for (secret, _) in &PROD[..4] {
        let message = refusal(load(&[&PROD, &[dev, (secret, "")]]));
        assert!(message.starts_with(&format!("{secret}: not set; use ")), "{message}");
    }
}

#[test]
fn prod_is_safe_by_default() {
    let settings = load(&[&PROD]).unwrap().0;
    assert_eq!((settings.profile, settings.auth), (Profile::Prod, AuthMode::Jwt));
    assert_eq!((settings.worker, settings.log_format), (false, LogFormat::Json));
    assert_eq!(settings.jwt_secret.expose(), b"0123456789abcdef0123456789abcdef");
    assert_eq!(settings.data_platform_secret.expose(), WEBHOOK);
    assert_eq!(settings.data_platform_url.unwrap().as_str(), "https://data.example.com/feed");
    assert_eq!(settings.stand_ins_addr, None);
}

#[test]
fn a_file_that_sets_nothing_leaves_the_safe_defaults() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "config/dev.toml", "");
    let dev = ("JUMUN_PROFILE", "dev");
    let settings = load_in(directory.path(), &[&PROD, &[dev]]).unwrap().0;
    assert_eq!((settings.auth, settings.worker, settings.trusted_gateway), (AuthMode::Jwt, false, false));
}

#[test]
fn prod_refuses_the_published_secrets() {
    let toml: std::collections::HashMap<String, config::Value> =
        config::Source::collect(&config::File::from_str(Profile::Local.built_in(), config::FileFormat::Toml))
            .unwrap();
    for (key, published) in [
        ("jwt_secret", "jwt_secret"),
        ("jwt_secret", "pii_key"),
        ("pii_key", "pii_key"),
        ("pii_key", "jwt_secret"),
        ("data_platform_secret", "data_platform_secret"),
        ("data_platform_secret", "payment_gateway_secret"),
        ("payment_gateway_secret", "payment_gateway_secret"),
        ("payment_gateway_secret", "data_platform_secret"),
    ] {
        let published = toml[published].clone().into_string().unwrap();
        let variable = format!("JUMUN_{}", key.to_uppercase());
        let message = refusal(load(&[&PROD, &[(&variable, &published)]]));
        assert_eq!(
            message,
            format!("{variable}: a published secret of local is refused in prod; use one of your own")
        );
    }
}

#[test]
fn prod_believes_the_header_only_behind_a_gateway() {
    for mode in ["header", "both"] {
        let auth = ("JUMUN_AUTH", mode);
        let message = refusal(load(&[&PROD, &[auth]]));
        assert!(message.starts_with("JUMUN_AUTH: header and both are refused in prod"), "{message}");
        let settings = load(&[&PROD, &[auth, ("JUMUN_TRUSTED_GATEWAY", "true")]]).unwrap().0;
        assert!(settings.auth.header());
    }
}

#[test]
fn prod_refuses_the_stand_ins() {
    for url in ["JUMUN_DATA_PLATFORM_URL", "JUMUN_PAYMENT_GATEWAY_URL"] {
        let message = refusal(load(&[&PROD, &[(url, "")]]));
        assert!(message.starts_with(&format!("{url}: not set, and the built-in")), "{message}");
    }
}

#[test]
fn the_environment_outranks_the_file_and_the_file_the_defaults() {
    let directory = tempfile::tempdir().unwrap();
    let built_in = Profile::Local.built_in();
    let contents = format!("{built_in}\nrate_limit = '7/m'\nhttp_workers = 3\nidempotency_ttl = '1h'\n");
    write(directory.path(), "config/local.toml", &contents);
    let settings = load_in(directory.path(), &[&[("JUMUN_IDEMPOTENCY_TTL", " 2h ")]]).unwrap().0;
    assert_eq!(settings.rate_limit.to_string(), "7/m");
    assert_eq!(settings.http_workers, Some(3));
    assert_eq!(settings.idempotency_ttl, Duration::from_hours(2));
    assert_eq!(settings.log.as_str(), "info");
}

#[test]
fn the_directory_of_the_files_can_be_named() {
    let directory = tempfile::tempdir().unwrap();
    let contents = format!("{}\nlog = 'debug'", Profile::Local.built_in());
    write(directory.path(), "elsewhere/local.toml", &contents);
    let relative = load_in(directory.path(), &[&[("JUMUN_CONFIG_DIR", "elsewhere")]]).unwrap();
    assert_eq!((relative.0.log.as_str(), relative.1.len()), ("debug", 0));
    let absolute = directory.path().join("elsewhere").display().to_string();
    assert_eq!(local(&[("JUMUN_CONFIG_DIR", &absolute)]).log.as_str(), "debug");

    let message = refusal(load(&[&[("JUMUN_CONFIG_DIR", "nowhere")]]));
    assert!(message.starts_with("JUMUN_CONFIG_DIR: \"nowhere\" is not a directory"), "{message}");
}

#[test]
fn a_wrong_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    for (contents, expected) in [
        (
            "http_adr = '127.0.0.1:1'",
            "config/local.toml: \"http_adr\" is not a setting; use one of http_addr, ",
        ),
        ("profile = 'local'", "config/local.toml: \"profile\" is not a setting; "),
        ("[http]\naddr = 1", "config/local.toml: \"http\" is not a setting; "),
        ("log = ['info']", "config/local.toml: log is a list or a table; use a single value"),
        ("worker = 'maybe'", "JUMUN_WORKER (worker in config/local.toml): \"maybe\" is not a boolean; "),
        ("rate_limit = 100", "JUMUN_RATE_LIMIT (rate_limit in config/local.toml): \"100\" is not a rate; "),
        ("jwt_secret = 'hush hush", "config/local.toml: TOML parse error at line 1, column "),
        ("pii_key = hush", "config/local.toml: TOML parse error at line 1, column "),
        (
            "database_url = 'hush'",
            "JUMUN_DATABASE_URL (database_url in config/local.toml): the value is not the address of a database; ",
        ),
    ] {
        write(directory.path(), "config/local.toml", contents);
        let message = refusal(load_in(directory.path(), &[&PROD[..4]]));
        assert!(message.starts_with(expected) && !message.contains("hush"), "{message}");
    }
    fs::remove_file(directory.path().join("config/local.toml")).unwrap();
    fs::create_dir(directory.path().join("config/local.toml")).unwrap();
    let message = refusal(load_in(directory.path(), &[]));
    assert!(message.starts_with("config/local.toml: cannot be read: "), "{message}");
}

#[test]
fn unknown_variables_are_returned_and_empty_ones_are_not() {
    let variables = [
        ("JUMUN_SERVICE_HOST", "10.0.0.1"),
        ("JUMUN_PORT", "tcp://10.0.0.1:80"),
        ("JUMUN_HTTP_ADR", ""),
        ("JUMUN_HTTP_ADDR", ""),
        ("jumun_http_addr", "127.0.0.1:1"),
        ("PATH", "/bin"),
    ];
    let (settings, unknown) = load(&[&variables]).unwrap();
    assert_eq!(unknown, ["JUMUN_PORT", "JUMUN_SERVICE_HOST"]);
    assert_eq!(settings.http_addr.port(), 8080);
}

#[test]
fn good_values_are_read() {
    for (name, value, literal) in [
        ("JUMUN_HTTP_ADDR", "[::1]:0", "http_addr = \"[::1]:0\""),
        ("JUMUN_HTTP_WORKERS", "4", "http_workers = 4"),
        ("JUMUN_DATABASE_URL", "mysql://u@db/jumun", "database_url = \"mysql://u@db/jumun\""),
        ("JUMUN_DATABASE_URL", "sqlite://:memory:", "database_url = \"sqlite://:memory:\""),
        ("JUMUN_DATABASE_MAX_CONNECTIONS", "1000", "database_max_connections = 1000"),
        ("JUMUN_ORDER_LANES", "1", "order_lanes = 1"),
        ("JUMUN_ORDER_QUEUE", "100000", "order_queue = 100000"),
        ("JUMUN_ORDER_LINES", "1000", "order_lines = 1000"),
        ("JUMUN_REDIS_URL", "rediss://cache:6379/1", "redis_url = \"rediss://cache:6379/1\""),
        ("JUMUN_AUTH", "both", "auth = \"both\""),
        ("JUMUN_TRUSTED_GATEWAY", "true", "trusted_gateway = true"),
        ("JUMUN_PAYMENT_GATEWAY_URL", "http://pay:1", "payment_gateway_url = \"http://pay:1/\""),
        ("JUMUN_STAND_INS_ADDR", "127.0.0.1:0", "stand_ins_addr = \"127.0.0.1:0\""),
        ("JUMUN_WORKER", "false", "worker = false"),
        ("JUMUN_WORKER_HTTP_ADDR", "0.0.0.0:8082", "worker_http_addr = \"0.0.0.0:8082\""),
        ("JUMUN_RATE_LIMIT", "5/m", "rate_limit = \"5/m\""),
        ("JUMUN_RATE_LIMIT", "off", "rate_limit = \"off\""),
        ("JUMUN_ORDER_PAYMENT_WINDOW", "90s", "order_payment_window = \"1m 30s\""),
        ("JUMUN_BUSINESS_ZONE", "Europe/Berlin", "business_zone = \"Europe/Berlin\""),
        (
            "JUMUN_RANKING_DAILY_CRON",
            "*/15 9-17 * * MON-FRI",
            "ranking_daily_cron = \"*/15 9-17 * * MON-FRI\"",
        ),
        ("JUMUN_LOG", "warn,storage=debug", "log = \"warn,storage=debug\""),
        ("JUMUN_LOG_FORMAT", "json", "log_format = \"json\""),
    ] {
        let masked = local(&[(name, value)]).masked();
        assert!(masked.lines().any(|line| line == literal), "{literal} in {masked}");
    }
}

#[test]
fn wrong_values_are_named_with_what_is_allowed() {
    for (name, value, expected) in [
        ("JUMUN_PROFILE", "PROD", "\"PROD\" is not a profile; use local, dev or prod"),
        ("JUMUN_HTTP_ADDR", "8080", "\"8080\" is not an address with a port; use an IP address and a port"),
        ("JUMUN_HTTP_ADDR", "localhost:8080", "\"localhost:8080\" is not an address with a port; use "),
        ("JUMUN_HTTP_WORKERS", "0", "0 is out of range; use 1 to 1024"),
        ("JUMUN_HTTP_WORKERS", "many", "\"many\" is not a count; use a whole number"),
        ("JUMUN_DATABASE_MAX_CONNECTIONS", "0", "0 is out of range; use 1 to 1000"),
        ("JUMUN_ORDER_LANES", "65", "65 is out of range; use 1 to 64"),
        ("JUMUN_ORDER_QUEUE", "100001", "100001 is out of range; use 1 to 100000"),
        ("JUMUN_ORDER_LINES", "1001", "1001 is out of range; use 1 to 1000"),
        ("JUMUN_DATABASE_MAX_CONNECTIONS", "1001", "1001 is out of range; use 1 to 1000"),
        ("JUMUN_DATABASE_MAX_CONNECTIONS", "-1", "\"-1\" is not a count; use a whole number"),
        ("JUMUN_AUTH", "none", "\"none\" is not a way to know a caller; use header, jwt or both"),
        ("JUMUN_WORKER", "yes", "\"yes\" is not a boolean; use true or false"),
        (
            "JUMUN_RATE_LIMIT",
            "fast",
            "\"fast\" is not a rate; use a number from 1 to 1000000 per s or m such as 100/s, or off",
        ),
        ("JUMUN_RATE_LIMIT", "0/s", "\"0/s\" is not a rate; "),
        ("JUMUN_RATE_LIMIT", "1000001/s", "\"1000001/s\" is not a rate; "),
        ("JUMUN_RATE_LIMIT", "5/h", "\"5/h\" is not a rate; "),
        (
            "JUMUN_ORDER_PAYMENT_WINDOW",
            "30",
            "\"30\" is not a duration; use a number with a unit such as 30s",
        ),
        ("JUMUN_ORDER_PAYMENT_WINDOW", "0s", "0s is out of range; use 1s to 30days"),
        ("JUMUN_IDEMPOTENCY_TTL", "1month", "1month is out of range; use 1s to 30days"),
        ("JUMUN_SHUTDOWN_TIMEOUT", "1h", "1h is out of range; use 1s to 5m"),
        ("JUMUN_BUSINESS_ZONE", "Mars/Olympus", "\"Mars/Olympus\" is not a time zone; use "),
        ("JUMUN_RANKING_DAILY_CRON", "1am", "\"1am\" is not a schedule; use the five fields of cron"),
        ("JUMUN_RANKING_WEEKLY_CRON", "0 0 30 2 *", "\"0 0 30 2 *\" is not a schedule; use "),
        ("JUMUN_LOG", "info,sqlx=loud", "\"info,sqlx=loud\" is not a log filter; use "),
        ("JUMUN_LOG_FORMAT", "xml", "\"xml\" is not a log format; use text or json"),
        (
            "JUMUN_DATA_PLATFORM_URL",
            "ftp://x",
            "\"ftp://x\" is not the address of a service; use http://… or ",
        ),
        ("JUMUN_STAND_INS_ADDR", "two\nlines", "\"two\\nlines\" is not an address with a port; use "),
    ] {
        let message = refusal(load(&[&[(name, value)]]));
        assert!(message.starts_with(&format!("{name}: {expected}")), "{message}");
    }
}

#[test]
fn wrong_secrets_stay_out_of_the_message() {
    for (name, value) in [
        ("JUMUN_JWT_SECRET", "hush"),
        ("JUMUN_JWT_SECRET", "aHVzaA=="),
        ("JUMUN_PII_KEY", "hushMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
        ("JUMUN_PII_KEY_PREVIOUS", "hush"),
        ("JUMUN_DATA_PLATFORM_SECRET", "hush"),
        ("JUMUN_DATA_PLATFORM_SECRET", "whsec_hush"),
        ("JUMUN_DATA_PLATFORM_SECRET", KEY),
        ("JUMUN_PAYMENT_GATEWAY_SECRET", "whsec_hush"),
        ("JUMUN_DATABASE_URL", "postgres://u:hush@db/jumun"),
        ("JUMUN_DATABASE_URL", "sqlite://"),
        ("JUMUN_DATABASE_URL", "sqlite://?mode=rwc"),
        ("JUMUN_DATABASE_URL", "mysql://u:hush@db"),
        ("JUMUN_DATABASE_URL", "mysql://u:hush@db/jumun/hush"),
        // Passwords that are not percent-encoded and begin like a port.
        ("JUMUN_DATABASE_URL", "mysql://u:12/hush@db/jumun"),
        ("JUMUN_DATABASE_URL", "mysql://u:12/34?hush@db/jumun"),
        ("JUMUN_DATABASE_URL", "mysql://u:12/34#hush@db/jumun"),
        ("JUMUN_REDIS_URL", "http://u:hush@cache"),
        ("JUMUN_REDIS_URL", "redis://:12#hush@cache"),
        ("JUMUN_DATA_PLATFORM_URL", "https://u:hush@data.example.com"),
        ("JUMUN_DATA_PLATFORM_URL", "https://data.example.com?token=hush"),
        ("JUMUN_PAYMENT_GATEWAY_URL", "https://data.example.com#hush"),
    ] {
        let message = refusal(load(&[&[(name, value)]]));
        assert!(message.starts_with(&format!("{name}: the value is not ")), "{message}");
        assert!(!message.contains("hush") && !message.contains(KEY), "{message}");
    }
}

#[test]
fn settings_print_without_their_secrets() {
    let addresses = [
        ("JUMUN_DATABASE_URL", "mysql://shop:hush%2Fdb@db:3306/jumun?ssl-mode=required"),
        ("JUMUN_REDIS_URL", "redis://:hush-redis@cache:6379/0"),
    ];
    let settings = load(&[&PROD, &addresses]).unwrap().0;
    assert_eq!(settings.database_url.expose(), addresses[0].1);
    assert_eq!(settings.redis_url.as_ref().unwrap().expose(), addresses[1].1);
    assert!(!settings.database_url.is_sqlite());

    let masked = settings.masked();
    for printed in
        [&masked, &format!("{settings:?}"), &format!("{settings:#?}"), &format!("{:?}", settings.clone())]
    {
        for secret in ["hush", KEY, OTHER_KEY, WEBHOOK, NOTICES, "0123456789abcdef", "48, 49, 50", "MDEyMzQ1"]
        {
            assert!(!printed.contains(secret), "{secret} in {printed}");
        }
    }
    assert!(masked.contains("database_url = \"mysql://shop:********@db:3306/jumun?ssl-mode=required\"\n"));
    assert!(masked.contains("redis_url = \"redis://:********@cache:6379/0\"\n"));
    assert!(masked.contains("jwt_secret = \"********\"\n") && masked.contains("pii_key = \"********\"\n"));
    assert!(masked.contains("data_platform_secret = \"********\"\n"));
    assert!(masked.contains("payment_gateway_secret = \"********\"\n"));
    assert!(masked.contains("# stand_ins_notice_url is not set\n"));
}

#[test]
fn a_previous_key_is_another_one_and_does_not_print() {
    let settings = load(&[&PROD, &[("JUMUN_PII_KEY_PREVIOUS", KEY)]]).unwrap().0;
    assert_eq!(settings.pii_key_previous.as_ref().unwrap().expose(), b"0123456789abcdef0123456789abcdef");
    let printed = format!("{}{settings:?}", settings.masked());
    assert!(printed.contains("pii_key_previous = \"********\"\n"), "{printed}");
    assert!(!printed.contains(KEY) && !printed.contains("48, 49, 50"), "{printed}");
    let message = refusal(load(&[&PROD, &[("JUMUN_PII_KEY_PREVIOUS", OTHER_KEY)]]));
    assert!(message.starts_with("JUMUN_PII_KEY_PREVIOUS: the same as JUMUN_PII_KEY"), "{message}");
    assert!(local(&[]).masked().contains("# pii_key_previous is not set\n"));
}

#[test]
fn what_is_shown_can_be_a_file_again() {
    let directory = tempfile::tempdir().unwrap();
    let settings = local(&[("JUMUN_HTTP_WORKERS", "2"), ("JUMUN_LOG", "info,[request{user=\"u1\"}]=debug")]);
    let masked = settings.masked();
    let (profile, rest) = masked.split_once('\n').unwrap();
    assert_eq!(profile, "profile = \"local\"");
    write(directory.path(), "config/local.toml", rest);
    let secrets = &PROD[..4];
    assert_eq!(load_in(directory.path(), &[secrets]).unwrap().0.masked(), masked);
}
