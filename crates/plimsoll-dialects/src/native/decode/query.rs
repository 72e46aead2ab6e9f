//! Query strings: each parameter known, and there once.

use std::borrow::Cow;

use plimsoll_core::bounds::PAGE_ITEMS_MAX;

use super::super::page::{self, PageKey};
use super::super::parameter::{PAGE_SIZE_DEFAULT, Parameter};
use super::super::wire::words::Spelled;
use super::super::{Page, Problem};
use super::ENCODING;
use crate::http::form_decoded;

/// The parameters of a query, decoded.
#[derive(Default)]
pub(in crate::native) struct Query<'a> {
    values: Vec<(Parameter, Cow<'a, str>)>,
}

impl<'a> Query<'a> {
    /// Reads a query that may have the parameters `known`.
    pub(super) fn parse(query: Option<&'a str>, known: &[Parameter]) -> Result<Self, Problem> {
        let mut found = Query::default();
        let parts = query.unwrap_or_default().split('&');
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = form_decoded(name).ok_or_else(|| malformed("a name"))?;
            let parameter = *known
                .iter()
                .find(|known| known.name() == name)
                .ok_or_else(|| unknown(&name, known))?;
            let value = form_decoded(value).ok_or_else(|| malformed(parameter.name()))?;
            if found.text(parameter).is_some() {
                return Err(problem(parameter, "must be there once"));
            }
            found.values.push((parameter, value));
        }
        Ok(found)
    }

    fn text(&self, parameter: Parameter) -> Option<&str> {
        let mut values = self.values.iter();
        values
            .find(|(sent, _)| *sent == parameter)
            .map(|(_, value)| value.as_ref())
    }

    /// The value of a parameter, where it is there.
    pub(super) fn value<T: Spelled>(&self, parameter: Parameter) -> Result<Option<T>, Problem> {
        self.text(parameter)
            .map(|text| T::parse(text).map_err(|error| problem(parameter, &error.to_string())))
            .transpose()
    }

    /// The value of a parameter that must be there.
    pub(super) fn required<T: Spelled>(&self, parameter: Parameter) -> Result<T, Problem> {
        self.value(parameter)?
            .ok_or_else(|| problem(parameter, "is missing: give it"))
    }

    /// The most rows of a page.
    pub(super) fn page_size(&self) -> Result<usize, Problem> {
        let Some(text) = self.text(Parameter::PageSize) else {
            return Ok(PAGE_SIZE_DEFAULT);
        };
        page_size(text).ok_or_else(|| {
            let must = format!("must be a whole number from `1` to `{PAGE_ITEMS_MAX}`");
            problem(Parameter::PageSize, &must)
        })
    }

    /// Which part of a list is asked for.
    pub(super) fn page<K: PageKey>(&self) -> Result<Page<K>, Problem> {
        let size = self.page_size()?;
        let token = self.text(Parameter::PageToken);
        let after = token.map(|token| {
            page::key(token).ok_or_else(|| {
                let must = "must be the `next_page_token` of this list, unchanged";
                problem(Parameter::PageToken, must)
            })
        });
        Ok(Page {
            after: after.transpose()?,
            size,
        })
    }
}

fn page_size(text: &str) -> Option<usize> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let size = text.parse().ok().filter(|_| is_digits)?;
    (1..=PAGE_ITEMS_MAX).contains(&size).then_some(size)
}

/// A problem of a parameter: a sentence whose subject is the parameter.
pub(super) fn problem(parameter: Parameter, what: &str) -> Problem {
    let name = parameter.name();
    Problem::parameter(name, format!("`{name}` in the query {what}"))
}

fn malformed(what: &str) -> Problem {
    Problem::parameter(what, format!("`{what}` in the query {ENCODING}"))
}

fn unknown(name: &str, known: &[Parameter]) -> Problem {
    let name = super::body::shortened(name);
    let names: Vec<String> = known
        .iter()
        .map(|known| format!("`{}`", known.name()))
        .collect();
    let known = match names.as_slice() {
        [] => "this operation has no query".to_owned(),
        names => format!("this operation has {}", names.join(", ")),
    };
    Problem::parameter(&name, format!("`{name}` in the query is unknown: {known}"))
}
