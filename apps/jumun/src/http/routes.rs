//! Which methods a path knows, read from the OpenAPI document, for `405 Method Not Allowed`.

use utoipa::openapi::OpenApi;

/// The paths of the API and their methods.
pub(crate) struct Routes(Vec<(Vec<String>, Vec<&'static str>)>);

impl Routes {
    /// Reads the document, which is shown itself or not.
    pub(crate) fn of(api: &OpenApi, is_shown: bool) -> Self {
        let paths = api.paths.paths.iter().map(|(path, item)| {
            let known = [
                ("GET", &item.get),
                ("POST", &item.post),
                ("PUT", &item.put),
                ("PATCH", &item.patch),
                ("DELETE", &item.delete),
            ];
            let methods = known
                .into_iter()
                .filter(|(_, operation)| operation.is_some())
                .map(|(name, _)| name)
                .collect();
            (segments(path), methods)
        });
        // What shows the document is not part of it.
        let about: &[&str] = if is_shown { &["/openapi.json", "/docs"] } else { &[] };
        let about = about.iter().map(|path| (segments(path), vec!["GET"]));
        Self(paths.chain(about).collect())
    }

    /// Returns the methods that a path knows, as `Allow` lists them; `None` if there is no such path.
    pub(crate) fn allowed(&self, path: &str) -> Option<String> {
        let path = segments(path);
        let fits = |template: &[String]| {
            template.len() == path.len()
                && template.iter().zip(&path).all(|(t, p)| t == p || t.starts_with('{') && !p.is_empty())
        };
        self.0.iter().find(|(template, _)| fits(template)).map(|(_, methods)| methods.join(", "))
    }
}

fn segments(path: &str) -> Vec<String> {
    path.split('/').map(str::to_owned).collect()
}
