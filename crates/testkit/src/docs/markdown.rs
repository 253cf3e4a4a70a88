//! What is read of a page of Markdown: its links, its headings, and the texts that are code.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A link, or an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// Where it leads.
    pub(super) to: String,
    /// What is shown.
    pub(super) text: String,
    /// Whether only code is shown.
    pub(super) is_code: bool,
    /// Where it stands in the page.
    pub(super) range: Range<usize>,
}

/// A page, taken apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Markdown {
    /// Its links, in their order.
    pub(super) links: Vec<Link>,
    /// Its headings, each with its level.
    pub(super) headings: Vec<(u8, String)>,
    /// Its blocks and spans of code that are no diagrams.
    pub(super) code: Vec<String>,
}

impl Markdown {
    pub(super) fn read(text: &str) -> Self {
        let options = Options::ENABLE_TABLES | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
        let mut page = Self::default();
        let mut link: Option<Link> = None;
        let mut heading: Option<(u8, String)> = None;
        let mut in_code = false;
        for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    link =
                        Some(Link { to: dest_url.into_string(), text: String::new(), is_code: true, range });
                }
                Event::End(TagEnd::Link | TagEnd::Image) => page.links.extend(link.take()),
                Event::Start(Tag::Heading { level, .. }) => heading = Some((level as u8, String::new())),
                Event::End(TagEnd::Heading(_)) => page.headings.extend(heading.take()),
                Event::Start(Tag::CodeBlock(kind)) => {
                    in_code = !matches!(kind, CodeBlockKind::Fenced(language) if &*language == "mermaid");
                }
                Event::End(TagEnd::CodeBlock) => in_code = false,
                Event::Text(text) | Event::Code(text) if link.is_some() || heading.is_some() => {
                    let code = &*text;
                    if let Some(link) = &mut link {
                        link.text.push_str(code);
                    }
                    if let Some((_, heading)) = &mut heading {
                        heading.push_str(code);
                    }
                }
                Event::Text(text) if in_code => page.code.push(text.into_string()),
                Event::Code(text) => page.code.push(text.into_string()),
                _ => {}
            }
        }
        for link in &mut page.links {
            let source = &text[link.range.clone()];
            link.is_code = source.starts_with("[`") && source.contains("`](");
        }
        page
    }

    /// Returns the first heading, which is the title.
    pub(super) fn title(&self) -> Option<&str> {
        self.headings.first().map(|(_, text)| text.as_str())
    }

    /// Returns the anchors of the headings as repository hosts and mdBook make them.
    pub(super) fn anchors(&self) -> BTreeSet<String> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let anchor = |text: &str| {
            let kept = text.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
        };
        let headings = self.headings.iter().map(|(_, text)| {
            let anchor = anchor(text);
            let count = seen.entry(anchor.clone()).or_default();
            *count += 1;
            if *count == 1 { anchor } else { format!("{anchor}-{}", *count - 1) }
        });
        headings.collect()
    }
}

/// Returns the path that a relative link leads to, and its anchor; `None` if it leads out of the repository.
pub(super) fn resolve(page: &str, to: &str) -> Option<(String, Option<String>)> {
    let (path, anchor) = match to.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor.to_owned())),
        None => (to, None),
    };
    if path.is_empty() {
        return Some((page.to_owned(), anchor));
    }
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some((parts.join("/"), anchor))
}

/// Returns whether a link leads to another site.
pub(super) fn is_elsewhere(to: &str) -> bool {
    to.contains("://") || to.starts_with("mailto:")
}
