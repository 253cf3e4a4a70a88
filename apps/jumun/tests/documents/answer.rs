//! Answers as documents print them, abbreviated, and whether a real one fits.

use serde_json::Value;

/// Stands for whatever is left out.
const ELLIPSIS: &str = "…";

/// Returns where a real value does not fit the printed one; `None` if it does. Members may be left out; a
/// text ends where `…` stands, and a list goes on.
pub(crate) fn differs(printed: &Value, real: &Value, place: &str) -> Option<String> {
    match (printed, real) {
        (Value::String(text), _) if text == ELLIPSIS => None,
        (Value::String(text), Value::String(real)) => {
            let fits = match text.strip_suffix(ELLIPSIS) {
                Some(beginning) => real.starts_with(beginning),
                None => text == real,
            };
            (!fits).then(|| format!("{place}: {text} is printed, {real} is real"))
        }
        (Value::Object(members), Value::Object(_)) => members.iter().find_map(|(name, printed)| {
            let Some(real) = real.get(name) else { return Some(format!("{place}/{name} is not there")) };
            differs(printed, real, &format!("{place}/{name}"))
        }),
        (Value::Array(items), Value::Array(real)) => {
            let open = items.last().is_some_and(|last| last == ELLIPSIS);
            let items = &items[..items.len() - usize::from(open)];
            if items.len() > real.len() || !open && items.len() < real.len() {
                return Some(format!("{place}: {} items are printed, {} are real", items.len(), real.len()));
            }
            let mut pairs = items.iter().zip(real).enumerate();
            pairs.find_map(|(index, (printed, real))| differs(printed, real, &format!("{place}/{index}")))
        }
        _ if printed == real => None,
        _ => Some(format!("{place}: {printed} is printed, {real} is real")),
    }
}

/// Returns the JSON in what a command printed, whatever headers stand before it.
pub(crate) fn json(output: &str) -> Option<Value> {
    let body = output.split_once("\r\n\r\n").map_or(output, |(_, body)| body);
    serde_json::from_str(body.trim()).ok()
}

/// Returns the first of the printed lines that is not in what a command printed.
pub(crate) fn missing_line<'p>(printed: &'p str, output: &str) -> Option<&'p str> {
    let has = |line: &str| {
        output.lines().any(|real| match line.strip_suffix(ELLIPSIS) {
            Some(beginning) => real.to_lowercase().starts_with(&beginning.to_lowercase()),
            None => real.eq_ignore_ascii_case(line),
        })
    };
    printed.lines().find(|line| !has(line))
}

#[test]
fn an_abbreviated_answer_fits_only_what_it_abbreviates() {
    let real = serde_json::json!({"id": "0199-ab", "items": [{"qty": 2, "price": 1.5}, {"qty": 3}]});
    for fits in [r#"{"id": "0199…"}"#, r#"{"items": [{"qty": 2}, "…"]}"#, r#"{"id": "…", "items": ["…"]}"#]
    {
        assert_eq!(differs(&serde_json::from_str(fits).unwrap(), &real, ""), None, "{fits}");
    }
    for other in [
        r#"{"id": "0199"}"#,
        r#"{"id": "01a…"}"#,
        r#"{"name": "…"}"#,
        r#"{"items": [{"qty": 2}]}"#,
        r#"{"items": [{"qty": 2, "price": 1.4}, "…"]}"#,
        r#"{"items": ["…", "…", "…", "…"]}"#,
        r#"{"items": {}}"#,
    ] {
        assert!(differs(&serde_json::from_str(other).unwrap(), &real, "").is_some(), "{other}");
    }
    assert_eq!(json("HTTP/1.1 201 Created\r\n\r\n{\"a\":1}"), Some(serde_json::json!({"a": 1})));
    assert_eq!(missing_line("HTTP/1.1 201…\nIdempotency-Replayed: true", "HTTP/1.1 201 Created\n"), {
        Some("Idempotency-Replayed: true")
    });
}
