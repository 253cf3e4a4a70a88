//! What `jumun config` prints.

use std::fmt::Write;

use super::Settings;

impl Settings {
    /// Returns the settings in effect as TOML, secrets masked; an unset one is a comment.
    pub fn masked(&self) -> String {
        self.literals().into_iter().fold(String::new(), |mut toml, (key, literal)| {
            // Writing to a string does not fail.
            let _ = match literal {
                Some(literal) => writeln!(toml, "{key} = {literal}"),
                None => writeln!(toml, "# {key} is not set"),
            };
            toml
        })
    }
}
