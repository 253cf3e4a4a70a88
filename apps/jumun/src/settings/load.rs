//! Layers: defaults < the profile's file < the environment.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use config::{ConfigError, File, FileFormat, Source};

use super::rules::Published;
use super::setting::{Setting, quoted};
use super::{Profile, Settings, SettingsError};

const PREFIX: &str = "JUMUN_";
const PROFILE: &str = "JUMUN_PROFILE";
const DIRECTORY: &str = "JUMUN_CONFIG_DIR";
const DEFAULT_DIRECTORY: &str = "config";

impl Settings {
    /// Loads and checks the settings, and returns with them the variables that begin with `JUMUN_` and
    /// mean nothing, sorted. These are no error: beside a service named jumun Kubernetes sets
    /// `JUMUN_SERVICE_HOST` and `JUMUN_PORT`.
    ///
    /// Values are trimmed; an empty one counts as not given. The profile's file is looked for in
    /// `JUMUN_CONFIG_DIR`, which is relative to `working_directory` and `config` by default; where there
    /// is none, the one that was compiled in serves. Mind that `std::env::vars` panics on a value that is
    /// not Unicode: `std::env::vars_os` does not.
    ///
    /// # Errors
    /// The first value that is wrong, missing or refused in this profile.
    pub fn load(
        environment: impl IntoIterator<Item = (String, String)>,
        working_directory: &Path,
    ) -> Result<(Self, Vec<String>), SettingsError> {
        let mut variables = Variables::new(environment);
        let profile = variables.profile()?;
        let file = SettingsFile::find(profile, variables.take(DIRECTORY).as_deref(), working_directory)?;

        let mut given = Given::defaults();
        given.0.extend(file.given()?.0);
        given.0.extend(variables.given().0);
        let settings = Self::read(profile, &given)?;
        settings.check(&Published::load()?)?;
        Ok((settings, variables.unknown()))
    }
}

impl Published {
    fn load() -> Result<Self, SettingsError> {
        let given = SettingsFile::built_in(Profile::Local).given()?;
        Ok(Self {
            keys: [given.value("jwt_secret")?, given.value("pii_key")?],
            webhook_secrets: [given.value("data_platform_secret")?, given.value("payment_gateway_secret")?],
        })
    }
}

/// Returns the variable of a setting.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase())
}

/// The texts of the settings, and who gave them.
pub(super) struct Given(BTreeMap<&'static str, Text>);

struct Text {
    text: String,
    file: Option<String>,
}

impl Given {
    fn defaults() -> Self {
        let text = |text: &str| Text { text: text.into(), file: None };
        Self(Settings::DEFAULTS.iter().map(|&(key, default)| (key, text(default))).collect())
    }

    /// Reads the value of a setting.
    pub(super) fn value<T: Setting>(&self, key: &'static str) -> Result<T, SettingsError> {
        let Some(Text { text, file }) = self.0.get(key) else {
            return T::absent().ok_or_else(|| SettingsError::Missing { key, allowed: T::allowed() });
        };
        T::parse(text).ok_or_else(|| SettingsError::Invalid {
            key,
            file: file.clone(),
            value: if T::conceals(text) { "the value".into() } else { quoted(text) },
            what: T::WHAT,
            allowed: T::allowed(),
        })
    }
}

/// The variables of the environment that concern us and have a value.
struct Variables(BTreeMap<String, String>);

impl Variables {
    fn new(environment: impl IntoIterator<Item = (String, String)>) -> Self {
        let ours = environment.into_iter().filter(|(name, _)| name.starts_with(PREFIX));
        let mut trimmed: BTreeMap<_, _> = ours.map(|(name, value)| (name, value.trim().to_owned())).collect();
        trimmed.retain(|_, value| !value.is_empty());
        Self(trimmed)
    }

    fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    fn profile(&mut self) -> Result<Profile, SettingsError> {
        let text = self.take(PROFILE).map(|text| ("profile", Text { text, file: None }));
        let profile: Option<Profile> = Given(text.into_iter().collect()).value("profile")?;
        Ok(profile.unwrap_or(Profile::Local))
    }

    fn given(&mut self) -> Given {
        let texts = Settings::KEYS.iter().filter_map(|&key| {
            let text = self.take(&variable(key))?;
            Some((key, Text { text, file: None }))
        });
        Given(texts.collect())
    }

    /// Returns what nobody took.
    fn unknown(self) -> Vec<String> {
        self.0.into_keys().collect()
    }
}

/// A file with settings, by the name it has in messages.
struct SettingsFile {
    name: String,
    contents: String,
}

impl SettingsFile {
    fn built_in(profile: Profile) -> Self {
        let name = format!("the built-in {DEFAULT_DIRECTORY}/{}", profile.file_name());
        Self { name, contents: profile.built_in().into() }
    }

    fn find(profile: Profile, directory: Option<&str>, root: &Path) -> Result<Self, SettingsError> {
        if let Some(named) = directory.filter(|directory| !root.join(directory).is_dir()) {
            return Err(SettingsError::NoDirectory(named.into()));
        }
        let path = Path::new(directory.unwrap_or(DEFAULT_DIRECTORY)).join(profile.file_name());
        let name = path.display().to_string();
        match std::fs::read_to_string(root.join(path)) {
            Ok(contents) => Ok(Self { name, contents }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::built_in(profile)),
            Err(reason) => Err(SettingsError::Unreadable { file: name, reason }),
        }
    }

    fn given(&self) -> Result<Given, SettingsError> {
        let table = File::from_str(&self.contents, FileFormat::Toml).collect();
        let table = table.map_err(|error| self.syntax(&error))?;
        let mut given = BTreeMap::new();
        for (key, value) in table.into_iter().collect::<BTreeMap<_, _>>() {
            let Some(&key) = Settings::KEYS.iter().find(|&&known| known == key) else {
                return Err(self.unknown_key(key));
            };
            let text = value.into_string().map_err(|_| self.not_a_value(key))?;
            if !text.trim().is_empty() {
                given.insert(key, Text { text: text.trim().into(), file: Some(self.name.clone()) });
            }
        }
        Ok(Given(given))
    }

    fn unknown_key(&self, key: String) -> SettingsError {
        let allowed = format!("one of {}", Settings::KEYS.join(", "));
        SettingsError::UnknownKey { file: self.name.clone(), key, allowed }
    }

    fn not_a_value(&self, key: &str) -> SettingsError {
        let reason = format!("{key} is a list or a table; use a single value");
        SettingsError::Syntax { file: self.name.clone(), reason }
    }

    /// The parser quotes the line, which may hold a secret, between its first and its last.
    fn syntax(&self, error: &ConfigError) -> SettingsError {
        let text = error.to_string();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or_default();
        let reason = lines.next_back().map_or_else(|| first.into(), |last| format!("{first}: {last}"));
        SettingsError::Syntax { file: self.name.clone(), reason }
    }
}
