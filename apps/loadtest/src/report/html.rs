//! Text and tables as HTML.

/// Writes a text so that nothing in it is markup.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A cell of a table.
pub(crate) enum Cell {
    /// A text, to the left.
    Text(String),
    /// A number, to the right.
    Number(String),
    /// Whether something is as it should be.
    Verdict(bool, String),
}

impl Cell {
    fn html(&self) -> String {
        match self {
            Self::Text(text) => format!("<td>{}</td>", escape(text)),
            Self::Number(text) => format!("<td class=\"n\">{}</td>", escape(text)),
            Self::Verdict(good, text) => {
                let class = if *good { "good" } else { "bad" };
                format!("<td class=\"{class}\">{}</td>", escape(text))
            }
        }
    }
}

/// Writes a table.
pub(crate) fn table(heads: &[&str], rows: &[Vec<Cell>]) -> String {
    let heads: Vec<String> = heads.iter().map(|head| format!("<th>{}</th>", escape(head))).collect();
    let cells = |row: &Vec<Cell>| row.iter().map(Cell::html).collect::<String>();
    let rows: Vec<String> = rows.iter().map(|row| format!("<tr>{}</tr>", cells(row))).collect();
    let (heads, rows) = (heads.concat(), rows.join("\n"));
    format!(
        "<div class=\"wide\"><table><thead><tr>{heads}</tr></thead><tbody>\n{rows}</tbody></table></div>\n"
    )
}

/// Writes a whole page.
pub(crate) fn document(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
        <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\n\
        <style>{STYLE}</style></head><body><h1>{title}</h1>\n{body}</body></html>\n"
    )
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222}\
h2{margin-top:2.5rem}h3{margin:2rem 0 .3rem}p{margin:.3rem 0}.wide{overflow-x:auto}\
table{border-collapse:collapse;font-size:14px}th,td{padding:.25rem .7rem;border-bottom:1px solid #ddd;text-align:left}\
th{background:#f4f4f4}td.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\
td.good{color:#15652f}td.bad{color:#b3261e;font-weight:600}\
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(21rem,1fr));gap:1rem}\
svg{width:100%;height:auto;background:#fafafa;border:1px solid #eee}\
svg text{font:11px system-ui,sans-serif;fill:#444}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(escape("<b> & \"c\""), "&lt;b&gt; &amp; &quot;c&quot;");
        let table = table(&["<"], &[vec![Cell::Text("<i>".into()), Cell::Verdict(false, "&".into())]]);
        assert!(table.contains("<th>&lt;</th>") && table.contains("<td>&lt;i&gt;</td>"), "{table}");
        assert!(table.contains("<td class=\"bad\">&amp;</td>"), "{table}");
    }
}
