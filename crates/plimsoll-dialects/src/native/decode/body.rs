//! JSON bodies, and what to say of those that cannot be read.

use serde::Deserialize;
use serde_json::error::Category;
use serde_path_to_error::Segment;

use super::super::Problem;
use super::super::wire::leaf::Object;

/// The most characters of a caller's own text that a problem repeats.
const QUOTE_LEN_MAX: usize = 64;

/// Reads a body.
pub(super) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Problem> {
    match serde_json::from_slice(body) {
        Ok(Object(read)) => Ok(read),
        Err(_) => Err(explain::<T>(body, "")),
    }
}

/// Reads a body that may be left out.
pub(super) fn read_or_default<'a, T: Deserialize<'a> + Default>(
    body: &'a [u8],
) -> Result<T, Problem> {
    if body.trim_ascii().is_empty() {
        return Ok(T::default());
    }
    read(body)
}

/// Says why `json`, which stands at `place` in the body, is no `T`.
///
/// It is read a second time for that, with the path kept: the good case need not pay for it.
pub(super) fn explain<'a, T: Deserialize<'a>>(json: &'a [u8], place: &str) -> Problem {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let Err(error) = serde_path_to_error::deserialize::<_, Object<T>>(&mut reader) else {
        let detail = "the body must end after its JSON value: leave the rest out";
        return Problem::body(String::new(), detail);
    };
    let pointer = error
        .path()
        .iter()
        .fold(place.to_owned(), |pointer, segment| match segment {
            Segment::Seq { index } => format!("{pointer}/{index}"),
            Segment::Map { key } => member(&pointer, key),
            Segment::Enum { .. } | Segment::Unknown => pointer,
        });
    let error = error.into_inner();
    let at = format!(" at line {} column {}", error.line(), error.column());
    let text = error.to_string();
    let text = text.strip_suffix(&at).unwrap_or(&text);
    match error.classify() {
        Category::Syntax | Category::Io if place.is_empty() => {
            Problem::body(pointer, format!("the body is not JSON: {text}{at}"))
        }
        Category::Syntax | Category::Io => {
            let detail = format!("`{pointer}` is not JSON: {text}");
            Problem::body(pointer, detail)
        }
        Category::Eof if json.trim_ascii().is_empty() => {
            Problem::body(pointer, "the body is empty: send a JSON object")
        }
        Category::Eof => Problem::body(pointer, "the body ends too early: send all of it"),
        Category::Data => wrong(&pointer, text),
    }
}

/// What serde found wrong at a place, in our words.
fn wrong(pointer: &str, text: &str) -> Problem {
    if let Some(name) = quoted(text, "missing field `") {
        let pointer = member(pointer, name);
        let detail = format!("`{pointer}` is missing: give it");
        return Problem::body(pointer, detail);
    }
    if let Some(name) = quoted(text, "duplicate field `") {
        let pointer = member(pointer, name);
        let detail = format!("`{pointer}` is there twice: give it once");
        return Problem::body(pointer, detail);
    }
    if text.starts_with("unknown field `") {
        let detail = match text.rsplit_once(", expected ") {
            Some((_, known)) => {
                let known = known.trim_start_matches("one of ").replace(" or ", ", ");
                format!("`{pointer}` is unknown, known are {known}: leave it out")
            }
            None => format!("`{pointer}` is unknown: leave it out"),
        };
        return Problem::body(pointer.to_owned(), detail);
    }
    let subject = match pointer {
        "" => "the body".to_owned(),
        pointer => format!("`{pointer}`"),
    };
    let detail = match text.rsplit_once(", expected ") {
        Some((found, expected)) => format!("{subject} must be {expected}, not {}", kind(found)),
        None => format!("{subject} {text}"),
    };
    Problem::body(pointer.to_owned(), detail)
}

fn quoted<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    text.strip_prefix(start)?.strip_suffix('`')
}

/// The kind of value that serde found.
fn kind(found: &str) -> &str {
    const KINDS: [(&str, &str); 8] = [
        ("boolean", "true or false"),
        ("integer `-", "a negative number"),
        ("integer", "a number"),
        ("floating point", "a number of another form or size"),
        ("string", "a string"),
        ("map", "an object"),
        ("sequence", "an array"),
        ("null", "null"),
    ];
    let found = found.trim_start_matches("invalid type: ");
    KINDS
        .iter()
        .find(|(start, _)| found.starts_with(start))
        .map_or("this", |(_, kind)| kind)
}

/// The pointer to a member of the object at `pointer`.
pub(super) fn member(pointer: &str, name: &str) -> String {
    let name = shortened(name).replace('~', "~0").replace('/', "~1");
    format!("{pointer}/{name}")
}

/// A caller's own text, short and plain enough to be repeated.
pub(super) fn shortened(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(QUOTE_LEN_MAX)
        .map(|it| {
            if it.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                it
            }
        })
        .collect();
    if text.chars().nth(QUOTE_LEN_MAX).is_some() {
        shown.push('…');
    }
    shown
}
