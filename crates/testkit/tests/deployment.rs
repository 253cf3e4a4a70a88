//! What stands outside the code and must fit it: the image, compose, the load balancer, Prometheus and the
//! dashboard (ADR-033). No container is started here.

#![expect(clippy::expect_used, reason = "test code: a broken expectation is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use saphyr::{LoadableYamlNode, ScalarOwned, YamlOwned};
use serde_json::{Map, Value};

/// The statements that each connection keeps prepared, as `storage` sets it.
const STATEMENTS: u64 = 200;
/// Connections of MySQL that are left to people.
const RESERVED: u64 = 10;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn read_yaml(path: &str) -> Value {
    let documents = YamlOwned::load_from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    to_json(documents.first().unwrap_or_else(|| panic!("{path} is empty")))
}

/// Returns the same value with merge keys (`<<`) resolved: what is written out outranks what is merged.
fn to_json(yaml: &YamlOwned) -> Value {
    match yaml {
        YamlOwned::Value(ScalarOwned::Null) => Value::Null,
        YamlOwned::Value(ScalarOwned::Boolean(flag)) => Value::from(*flag),
        YamlOwned::Value(ScalarOwned::Integer(number)) => Value::from(*number),
        YamlOwned::Value(ScalarOwned::String(text)) => Value::from(text.as_str()),
        YamlOwned::Sequence(items) => items.iter().map(to_json).collect(),
        YamlOwned::Mapping(pairs) => {
            let (mut own, mut merged) = (Map::new(), Map::new());
            for (key, value) in pairs {
                match (to_json(key), to_json(value)) {
                    (Value::String(key), Value::Object(value)) if key == "<<" => merged.extend(value),
                    (Value::String(key), value) => assert!(own.insert(key, value).is_none()),
                    (key, _) => panic!("{key} is not a name"),
                }
            }
            merged.extend(own);
            Value::Object(merged)
        }
        other => panic!("{other:?} is not expected in these files"),
    }
}

fn services() -> Map<String, Value> {
    let Value::Object(mut compose) = read_yaml("docker-compose.yml") else { panic!("compose is a mapping") };
    let Some(Value::Object(services)) = compose.remove("services") else { panic!("there are services") };
    services
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no text {pointer} in {value:#}"))
}

fn texts<'a>(value: &'a Value, pointer: &str) -> Vec<&'a str> {
    let items = value.pointer(pointer).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Returns whether a service ends when its work is done.
fn is_one_shot(service: &Value) -> bool {
    service["restart"] == "no"
}

/// Returns whether the service is one of ours.
fn is_jumun(service: &Value) -> bool {
    service["image"] == "jumun:dev"
}

/// Returns the words of a text that begin with `prefix` and go on with what `belongs` to a name.
fn names(text: &str, prefix: &str, belongs: fn(char) -> bool) -> BTreeSet<String> {
    let starts = text.match_indices(prefix).map(|(start, _)| &text[start..]);
    starts.map(|rest| rest.chars().take_while(|&c| belongs(c)).collect()).collect()
}

/// Returns the settings of the program, as variables.
fn variables() -> BTreeSet<String> {
    let source = read("apps/jumun/src/settings/mod.rs");
    let declared = source.split("\nsettings! {").nth(1).expect("the settings are declared in one place");
    let keys = declared.lines().map(str::trim).filter(|line| !line.starts_with("///"));
    let keys = keys.filter_map(|line| line.split_once(": ").map(|(key, _)| key.to_uppercase()));
    let mut variables: BTreeSet<_> = keys.map(|key| format!("JUMUN_{key}")).collect();
    variables.extend(["JUMUN_PROFILE".to_owned(), "JUMUN_CONFIG_DIR".to_owned()]);
    variables
}

fn visit(folder: &Path, check: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { visit(&path, check) } else { check(&path) }
    }
}

/// Returns the metrics that the program emits: those that its sources name other than to explain or test them.
fn emitted() -> BTreeSet<String> {
    let mut emitted = BTreeSet::new();
    for part in ["apps", "crates"] {
        visit(&root().join(part), &mut |path| {
            let is_source = path.extension().is_some_and(|extension| extension == "rs")
                && path.components().any(|part| part.as_os_str() == "src")
                && path.file_name().is_some_and(|name| name != "tests.rs");
            if !is_source {
                return;
            }
            let source = fs::read_to_string(path).expect("a source");
            let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            for (start, _) in source.match_indices("\"jumun_") {
                let call = source[..start].trim_end().trim_end_matches('(');
                let name = source[start + 1..].split('"').next().unwrap_or_default();
                let explained = ["describe_counter!", "describe_gauge!", "describe_histogram!"];
                if !explained.iter().any(|explained| call.ends_with(explained)) {
                    emitted.insert(name.to_owned());
                }
            }
        });
    }
    emitted
}

/// Fails the test unless the program emits each metric of these queries.
fn assert_emitted(place: &str, queries: &[&str]) {
    let emitted = emitted();
    assert!(emitted.len() > 10, "{emitted:?}");
    for query in queries {
        for name in names(query, "jumun_", |c| c.is_ascii_alphanumeric() || c == '_') {
            let parts = ["_bucket", "_sum", "_count"];
            let base = parts.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(&name);
            let known = emitted.contains(base) || emitted.contains(&name);
            assert!(known, "{place} shows {name}, which nothing emits: {query}");
        }
    }
}

#[test]
fn the_dashboard_shows_what_is_measured() {
    let dashboard: Value =
        serde_json::from_str(&read("deploy/grafana/dashboards/jumun.json")).expect("the dashboard is JSON");
    let source = read_yaml("deploy/grafana/provisioning/datasources/prometheus.yml");
    let uid = text(&source, "/datasources/0/uid");
    let panels = dashboard["panels"].as_array().expect("panels");
    let mut ids = BTreeSet::new();
    let mut queries = Vec::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64()), "two panels have the id {}", panel["id"]);
        if panel["type"] == "row" {
            continue;
        }
        assert!(!text(panel, "/description").is_empty(), "{} is not described", panel["title"]);
        let targets = panel["targets"].as_array().expect("queries");
        assert!(!targets.is_empty(), "{} shows nothing", panel["title"]);
        for target in targets {
            assert_eq!(text(target, "/datasource/uid"), uid);
            queries.push(text(target, "/expr"));
        }
    }
    assert!(queries.len() > 20, "{queries:?}");
    assert_emitted("the dashboard", &queries);
}

#[test]
fn alerts_rest_on_what_is_measured_and_say_what_to_do() {
    let alerts = read_yaml("deploy/prometheus/alerts.yml");
    let groups = alerts["groups"].as_array().expect("groups");
    let rules: Vec<_> = groups.iter().flat_map(|group| group["rules"].as_array().expect("rules")).collect();
    assert!(rules.len() >= 9, "{rules:?}");
    for rule in &rules {
        for pointer in
            ["/alert", "/for", "/labels/severity", "/annotations/summary", "/annotations/description"]
        {
            assert!(!text(rule, pointer).is_empty(), "{rule:#}");
        }
    }
    let queries: Vec<_> = rules.iter().map(|rule| text(rule, "/expr")).collect();
    assert_emitted("an alert", &queries);
    let files = read_yaml("deploy/prometheus/prometheus.yml");
    assert_eq!(texts(&files, "/rule_files"), ["alerts.yml"]);
}

#[test]
fn every_variable_in_compose_and_in_the_image_is_a_setting() {
    let variables = variables();
    assert!(variables.contains("JUMUN_HTTP_ADDR") && variables.len() > 20, "{variables:?}");
    for file in ["docker-compose.yml", "Dockerfile"] {
        for name in names(&read(file), "JUMUN_", |c| c.is_ascii_uppercase() || c == '_') {
            assert!(variables.contains(&name), "{file}: {name} is not a setting");
        }
    }
}

#[test]
fn the_secrets_of_the_demonstration_are_those_that_prod_refuses() {
    let published = read("config/local.toml");
    for (name, service) in services().iter().filter(|(_, service)| is_jumun(service)) {
        assert_eq!(text(service, "/environment/JUMUN_PROFILE"), "dev", "{name}");
        for secret in ["JWT_SECRET", "PII_KEY", "DATA_PLATFORM_SECRET", "PAYMENT_GATEWAY_SECRET"] {
            let given = text(service, &format!("/environment/JUMUN_{secret}"));
            let default =
                given.strip_prefix(&format!("${{JUMUN_{secret}:-")).and_then(|s| s.strip_suffix('}'));
            let default = default.unwrap_or_else(|| panic!("{name}: {secret} cannot be given from outside"));
            let line = format!("{} = \"{default}\"\n", secret.to_lowercase());
            assert!(published.contains(&line), "{name}: prod does not know that {secret} is published");
        }
    }
}

#[test]
fn whoever_is_believed_by_a_header_is_on_this_machine_unless_somebody_says_otherwise() {
    let services = services();
    for (name, service) in services.iter().filter(|(_, service)| is_jumun(service)) {
        assert_eq!(text(service, "/environment/JUMUN_AUTH"), "${JUMUN_AUTH:-header}", "{name}");
    }
    for (name, service) in services.iter().filter(|(_, service)| service["ports"].is_array()) {
        for port in texts(service, "/ports") {
            let loopback = ["127.0.0.1:", "${PUBLISH_ADDRESS:-127.0.0.1}:"];
            assert!(loopback.iter().any(|address| port.starts_with(address)), "{name}: {port}");
        }
    }
}

#[test]
fn the_stand_in_sends_its_notices_to_the_load_balancer() {
    let services = services();
    for name in ["api-1", "api-2", "worker"] {
        let gateway = text(&services[name], "/environment/JUMUN_PAYMENT_GATEWAY_URL");
        assert_eq!(gateway, "http://stand-ins:8081/", "{name}");
    }
    let notices = text(&services["stand-ins"], "/environment/JUMUN_STAND_INS_NOTICE_URL");
    let path = notices.strip_prefix("http://nginx:8080/").expect("the load balancer");
    assert!(read("apps/jumun/src/commands/stand_ins.rs").contains(&format!("\"{path}\"")), "{path}");
}

#[test]
fn images_have_a_version_and_containers_no_more_rights_than_they_need() {
    let dockerfile = read("Dockerfile");
    let stages = dockerfile.lines().filter_map(|line| line.strip_prefix("FROM "));
    let mut images: Vec<_> =
        stages.map(|stage| stage.split(' ').next().expect("an image").to_owned()).collect();
    for (name, service) in services() {
        images.push(text(&service, "/image").to_owned());
        assert_eq!(texts(&service, "/cap_drop"), ["ALL"], "{name}");
        assert_eq!(texts(&service, "/security_opt"), ["no-new-privileges:true"], "{name}");
        assert!(service["restart"].is_string(), "{name} does not say whether it starts again");
        let writes_to_its_disk = name == "mysql";
        assert!(writes_to_its_disk || service["read_only"] == true, "{name} may write anywhere");
    }
    for image in images {
        let tag = image.rsplit('/').next().and_then(|name| name.split_once(':')).map(|(_, tag)| tag);
        assert!(tag.is_some_and(|tag| !tag.is_empty() && !tag.contains("latest")), "{image} may be anything");
    }
}

#[test]
fn the_image_is_built_as_the_workspace_and_runs_without_rights() {
    let dockerfile = read("Dockerfile");
    let manifest = read("Cargo.toml");
    let version = manifest.split("rust-version = \"").nth(1).and_then(|rest| rest.split('"').next());
    let image = format!("FROM rust:{}-", version.expect("a version of Rust"));
    assert!(dockerfile.contains(&image), "the image is not built with {image}");
    let runtime = dockerfile.rsplit("\nFROM ").next().expect("a last stage");
    for line in
        ["USER 65532:65532", "STOPSIGNAL SIGTERM", "EXPOSE 8080", "ENTRYPOINT [\"/usr/local/bin/jumun\"]"]
    {
        assert!(runtime.lines().any(|present| present == line), "{line} is missing");
    }
    assert!(runtime.contains("CMD [\"/usr/local/bin/jumun\", \"health\"]"), "nobody asks for its health");
    // Everything that the build reads, and nothing else.
    let ignored = read(".dockerignore");
    let kept: BTreeSet<_> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert!(ignored.lines().any(|line| line == "*"));
    assert_eq!(kept, BTreeSet::from(["Cargo.lock", "Cargo.toml", "apps", "config", "crates", "migrations"]));
}

#[test]
fn whoever_is_waited_for_tells_when_it_is_ready() {
    let services = services();
    for (name, service) in &services {
        for (awaited, wait) in service["depends_on"].as_object().into_iter().flatten() {
            let awaited_service =
                services.get(awaited).unwrap_or_else(|| panic!("{name} waits for {awaited}"));
            match text(wait, "/condition") {
                "service_completed_successfully" => {
                    assert!(is_one_shot(awaited_service), "{awaited} does not end");
                }
                "service_healthy" => {
                    // The image of Jumun has a check of its own, for the API.
                    let checked = awaited_service["healthcheck"]["test"].is_array()
                        || is_jumun(awaited_service) && text(awaited_service, "/command/0") == "serve";
                    assert!(checked, "{name} waits for {awaited}, which does not tell");
                }
                other => panic!("{name} waits for {awaited} to be {other}"),
            }
        }
    }
}

#[test]
fn the_pools_fit_into_the_database() {
    let services = services();
    let limit = |flag: &str| {
        let flags = texts(&services["mysql"], "/command");
        let value = flags.iter().find_map(|given| given.strip_prefix(flag)?.strip_prefix('='));
        value.and_then(|value| value.parse::<u64>().ok()).unwrap_or_else(|| panic!("MySQL has no {flag}"))
    };
    let pool = |service: &Value| -> u64 {
        let given = service["environment"]["JUMUN_DATABASE_MAX_CONNECTIONS"].as_str();
        given.map_or(0, |given| given.parse().expect("a count of connections"))
    };
    let (one_shot, lasting): (Vec<_>, Vec<_>) = services.values().partition(|service| is_one_shot(service));
    // Those that end run one after the other.
    let most: u64 = one_shot.into_iter().map(pool).max().unwrap_or_default();
    let connections = most + lasting.into_iter().map(pool).sum::<u64>();
    assert!(connections > 50, "{connections}");
    let (most, statements) = (limit("--max-connections"), limit("--max-prepared-stmt-count"));
    assert!(connections + RESERVED <= most, "{connections} connections of {most}");
    assert!(connections * STATEMENTS <= statements, "{connections} connections prepare too many statements");
    let storage = read("crates/adapters/storage/src/connect.rs");
    assert!(
        storage.contains(&format!("STATEMENTS_A_CONNECTION: usize = {STATEMENTS};")),
        "storage keeps others"
    );
}

#[test]
fn the_load_balancer_and_prometheus_ask_where_somebody_listens() {
    let mut listening = BTreeSet::new();
    let mut instances = BTreeSet::new();
    for (name, service) in services() {
        for variable in ["JUMUN_HTTP_ADDR", "JUMUN_WORKER_HTTP_ADDR"] {
            let Some(addr) = service["environment"][variable].as_str() else { continue };
            let port = addr.strip_prefix("0.0.0.0:").unwrap_or_else(|| panic!("{name} is not reachable"));
            listening.insert(format!("{name}:{port}"));
            if variable == "JUMUN_HTTP_ADDR" {
                instances.insert(format!("{name}:{port}"));
            }
        }
    }
    assert_eq!(instances.len(), 2, "{instances:?}");
    let nginx = read("deploy/nginx/nginx.conf");
    let lines = nginx.lines().filter_map(|line| line.trim().strip_prefix("server "));
    let balanced: BTreeSet<_> = lines
        .filter_map(|line| line.split(' ').next())
        .filter(|word| *word != "{")
        .map(str::to_owned)
        .collect();
    assert_eq!(balanced, instances);
    let prometheus = read_yaml("deploy/prometheus/prometheus.yml");
    let jobs = prometheus["scrape_configs"].as_array().expect("jobs");
    let job = jobs.iter().find(|job| job["job_name"] == "jumun").expect("the job of Jumun");
    let configs = job["static_configs"].as_array().expect("targets");
    let scraped: BTreeSet<_> = configs.iter().flat_map(|config| texts(config, "/targets")).collect();
    assert_eq!(scraped, listening.iter().map(String::as_str).collect());
}

#[test]
fn the_load_balancer_never_sends_a_post_twice_and_hides_what_is_internal() {
    let nginx = read("deploy/nginx/nginx.conf");
    let directives: Vec<_> =
        nginx.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    for directive in [
        "proxy_next_upstream error timeout;",
        "location ~ ^/(metrics|actuator)(/|$) {",
        "client_max_body_size 1m;",
        "proxy_set_header X-Forwarded-For $remote_addr;",
    ] {
        assert!(directives.contains(&directive), "{directive} is missing");
    }
    assert!(!directives.iter().any(|directive| directive.contains("non_idempotent")));
}
