//! JSON bodies: of the right type, not too long, in time, and valid member by member.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::StreamExt;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use super::problem::{InvalidMember, Problem};

/// The longest body, in bytes.
pub(crate) const LIMIT: usize = 1024 * 1024;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// A JSON body that satisfies the rules of its type.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Json<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let accepted = check_head(request);
        let payload = payload.take();
        Box::pin(async move {
            accepted?;
            parse(&read(payload).await?).map(Self)
        })
    }
}

/// A JSON body as it came, for whoever checks its signature before it is read.
#[derive(Debug)]
pub(crate) struct Raw(pub(crate) Vec<u8>);

impl FromRequest for Raw {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let accepted = check_head(request);
        let payload = payload.take();
        Box::pin(async move {
            accepted?;
            read(payload).await.map(Self)
        })
    }
}

/// The body of a request that has nothing to say: none at all, `null` or `{}`.
#[derive(Debug)]
pub(crate) struct NoBody;

impl FromRequest for NoBody {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(_: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = payload.take();
        Box::pin(async move {
            let body = read(payload).await?;
            match body.trim_ascii() {
                b"" | b"null" => Ok(Self),
                body => parse::<Nothing>(body).map(|_| Self),
            }
        })
    }
}

/// An object without members.
#[derive(Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn check_head(request: &HttpRequest) -> Result<(), Problem> {
    let json = request.content_type().eq_ignore_ascii_case("application/json");
    if !json || request.headers().get_all(CONTENT_TYPE).count() != 1 {
        return Err(Problem::unsupported_media_type());
    }
    let announced =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > LIMIT as u64) {
        return Err(Problem::too_large(LIMIT));
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "no connection to a database is held while a body arrives")]
async fn read(mut payload: Payload) -> Result<Vec<u8>, Problem> {
    let arrival = async {
        let mut body = Vec::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| Problem::invalid_member("", "the body could not be read"))?;
            if body.len() + chunk.len() > LIMIT {
                return Err(Problem::too_large(LIMIT));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    tokio::time::timeout(PATIENCE, arrival).await.unwrap_or_else(|_| Err(Problem::too_slow()))
}

/// Reads a body and checks its rules.
pub(crate) fn parse<T: DeserializeOwned + Validate>(body: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let Object(value): Object<T> = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        Problem::invalid_member(pointer, without_position(&error.into_inner().to_string()))
    })?;
    reader.end().map_err(|error| Problem::invalid_member("", without_position(&error.to_string())))?;
    value.validate().map_err(|errors| {
        let mut invalid = Vec::new();
        collect(&errors, "", &mut invalid);
        Problem::invalid(invalid)
    })?;
    Ok(value)
}

/// A JSON object and nothing else. Code that is derived for a struct would take an array of its members
/// as well, and name the struct in its errors.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }
}

/// Reads an array of objects, if there is one.
pub(crate) fn optional_objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let objects = Option::<Vec<Object<T>>>::deserialize(deserializer)?;
    Ok(objects.map(|objects| objects.into_iter().map(|Object(value)| value).collect()))
}

/// Writes the path to a member as a JSON pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                format!("/{}", key.replace('~', "~0").replace('/', "~1"))
            }
            Segment::Unknown => String::new(),
        })
        .collect()
}

/// Takes the position in the text off a message of the parser: the pointer says it better.
fn without_position(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).to_owned()
}

fn collect(errors: &ValidationErrors, base: &str, invalid: &mut Vec<InvalidMember>) {
    let mut kinds: Vec<_> = errors.errors().iter().collect();
    kinds.sort_by(|a, b| a.0.cmp(b.0));
    for (member, kind) in kinds {
        let pointer = format!("{base}/{}", camel_case(member));
        match kind {
            ValidationErrorsKind::Field(rules) => invalid.extend(rules.iter().map(|rule| {
                let message = rule.message.as_deref().unwrap_or("is not valid");
                InvalidMember::new(pointer.clone(), message)
            })),
            ValidationErrorsKind::Struct(nested) => collect(nested, &pointer, invalid),
            ValidationErrorsKind::List(items) => {
                for (index, nested) in items {
                    collect(nested, &format!("{pointer}/{index}"), invalid);
                }
            }
        }
    }
}

/// Turns a field's name into the member's.
fn camel_case(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at_checked(1).unwrap_or((word, ""));
        name + &head.to_uppercase() + tail
    })
}
