//! What a batch has decided, as a few statements over arrays.

use std::collections::BTreeMap;

use plimsoll_core::event::{Change, Event, Log};
use plimsoll_core::names::ScopeId;
use plimsoll_core::rows::Rows;
use tokio_postgres::types::{ToSql, Type};

use super::batch::Written;
use super::rows::{Table, Value, integer, key_of, row_of, text};
use super::session::{Parameter, Statement};
use crate::record::log_name;
use crate::tables::Tables;

/// The values of one column.
enum Column {
    Text(Vec<Option<String>>),
    Integer(Vec<Option<i64>>),
    Bytes(Vec<Vec<u8>>),
}

impl Column {
    fn parameter(&self) -> Parameter<'_> {
        match self {
            Column::Text(values) => (values as &(dyn ToSql + Sync), Type::TEXT_ARRAY),
            Column::Integer(values) => (values as _, Type::INT8_ARRAY),
            Column::Bytes(values) => (values as _, Type::BYTEA_ARRAY),
        }
    }
}

/// What happens to the rows of one table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    /// A row that must not be there yet: another transaction may be about to make it too.
    Insert(Table),
    /// A row that is there.
    Put(Table),
    Delete(Table),
}

impl Deed {
    fn sql(self) -> String {
        match self {
            Deed::Insert(table) => insert(table),
            Deed::Put(table) => {
                let (_, columns, keys) = table.layout();
                let set = |column: &&str| format!("{column} = excluded.{column}");
                let set: Vec<String> = columns[keys..].iter().map(set).collect();
                format!(
                    "{} ON CONFLICT ({}) DO UPDATE SET {}",
                    insert(table),
                    columns[..keys].join(", "),
                    set.join(", ")
                )
            }
            Deed::Delete(table) => {
                let (name, columns, keys) = table.layout();
                let is_same = |column: &&str| format!("t.{column} = k.{column}");
                let is_same: Vec<String> = columns[..keys].iter().map(is_same).collect();
                format!(
                    "DELETE FROM plimsoll.{name} t USING {} WHERE {}",
                    from(&columns[..keys]),
                    is_same.join(" AND ")
                )
            }
        }
    }
}

/// Arrays as a table.
fn from(columns: &[&str]) -> String {
    let arrays: Vec<String> = (1..=columns.len())
        .map(|index| format!("${index}"))
        .collect();
    let arrays = arrays.join(", ");
    format!("unnest({arrays}) AS k ({})", columns.join(", "))
}

fn insert(table: Table) -> String {
    let (name, columns, _) = table.layout();
    // An array of arrays is none in SQL: the scopes above come as one text, apart by spaces.
    let value = |column: &&str| match *column {
        "above" => "string_to_array(above, ' ')".to_owned(),
        column => column.to_owned(),
    };
    let values: Vec<String> = columns.iter().map(value).collect();
    format!(
        "INSERT INTO plimsoll.{name} ({}) SELECT {} FROM {}",
        columns.join(", "),
        values.join(", "),
        from(columns)
    )
}

/// A row, as its last event leaves it; none where it is gone.
struct Row<'a> {
    key: Vec<&'a str>,
    change: Option<&'a Change>,
}

/// What is to be written, each row as its last event leaves it.
#[derive(Default)]
struct Deeds<'a> {
    /// In the order in which they are to be written.
    rows: BTreeMap<(Table, [&'a str; 3]), Row<'a>>,
    columns: BTreeMap<Deed, Vec<Column>>,
}

impl<'a> Deeds<'a> {
    fn add(&mut self, deed: Deed, row: Vec<Value>) {
        let columns = self.columns.entry(deed).or_insert_with(|| {
            let empty = |value: &Value| match value {
                Value::Text(_) => Column::Text(Vec::new()),
                Value::Integer(_) => Column::Integer(Vec::new()),
                Value::Bytes(_) => Column::Bytes(Vec::new()),
            };
            row.iter().map(empty).collect()
        });
        for (column, value) in columns.iter_mut().zip(row) {
            match (column, value) {
                (Column::Text(values), Value::Text(value)) => values.push(value),
                (Column::Integer(values), Value::Integer(value)) => values.push(value),
                (Column::Bytes(values), Value::Bytes(value)) => values.push(value),
                _ => unreachable!("a column has values of one type"),
            }
        }
    }

    fn note(&mut self, change: &'a Change) {
        let (table, key, is_there) = key_of(change);
        let at = |index: usize| key.get(index).copied().unwrap_or_default();
        // Most indexes of reservations begin with the tenant.
        let order = match table {
            Table::Reservation => [at(1), at(0), ""],
            _ => [at(0), at(1), at(2)],
        };
        let change = is_there.then_some(change);
        self.rows.insert((table, order), Row { key, change });
    }
}

/// What the function `plimsoll.write_batch` does, in the order of its parameters; and what it is
/// given where there is nothing of a kind.
fn together() -> [(Deed, Vec<Column>); 5] {
    let text = || Column::Text(Vec::new());
    let integer = || Column::Integer(Vec::new());
    let bytes = || Column::Bytes(Vec::new());
    let event = vec![text(), integer(), integer(), integer(), bytes(), bytes()];
    let log = vec![text(), integer(), integer(), bytes()];
    let account = vec![text(), text(), text(), integer(), integer(), bytes()];
    let reservation = || {
        let texts = vec![text(), text(), text(), text()];
        let others = [integer(), integer(), bytes()];
        texts.into_iter().chain(others).collect()
    };
    [
        (Deed::Insert(Table::Event), event),
        (Deed::Put(Table::Log), log),
        (Deed::Put(Table::Account), account),
        (Deed::Insert(Table::Reservation), reservation()),
        (Deed::Put(Table::Reservation), reservation()),
    ]
}

/// What is to be written of a batch: statements with their parameters.
pub(super) struct Writing {
    alone: Vec<(String, Vec<Column>)>,
    /// The columns of `plimsoll.write_batch`, where there is anything.
    together: Option<(String, Vec<Column>)>,
    /// The revision that the catalogue must still have.
    catalogue: Option<i64>,
    /// Whether every log that is written was locked before: then no other can be in the way.
    pub(super) is_locked: bool,
}

impl Writing {
    /// What a batch has decided on some rows.
    ///
    /// It makes sure that the catalogue is still the one by which it was decided, and stays so
    /// until the end of the transaction, unless it is locked.
    pub(super) fn new(below: &Tables, events: &[Written], catalogue_is_locked: bool) -> Self {
        let mut deeds = Deeds::default();
        let changes = events.iter().flat_map(|it| &it.event.changes);
        changes.for_each(|it| deeds.note(it));
        // What lies side by side in an index is written one after the other: a log is in order.
        let mut by_log: Vec<&Written> = events.iter().collect();
        by_log.sort_by_key(|it| log_name(&it.event.log));
        by_log.into_iter().for_each(|it| add_event(&mut deeds, it));
        add_rows(&mut deeds, below, events);
        add_logs(&mut deeds, below, events);
        let columns = together().map(|(deed, empty)| deeds.columns.remove(&deed).unwrap_or(empty));
        let columns: Vec<Column> = columns.into_iter().flatten().collect();
        let parameters: Vec<String> = (1..=columns.len() + 1)
            .map(|index| format!("${index}"))
            .collect();
        let sql = format!("SELECT plimsoll.write_batch({})", parameters.join(", "));
        let alone = deeds.columns.into_iter();
        let known = i64::try_from(below.head(&Log::Catalogue).revision).unwrap_or(i64::MAX);
        let was_there = |written: &Written| 0 < below.head(&written.event.log).revision;
        let of_catalogue = |written: &Written| written.event.log == Log::Catalogue;
        Self {
            alone: alone.map(|(deed, columns)| (deed.sql(), columns)).collect(),
            together: (!events.is_empty()).then_some((sql, columns)),
            catalogue: (!catalogue_is_locked).then_some(known),
            is_locked: events.iter().all(|it| {
                if of_catalogue(it) {
                    catalogue_is_locked
                } else {
                    was_there(it)
                }
            }),
        }
    }

    /// In the order in which they are to be done.
    ///
    /// Errors: [`Fault::Again`](super::session::Fault::Again) where the catalogue is another, or
    /// where somebody else has just made the same row.
    pub(super) fn statements(&self) -> Vec<Statement<'_>> {
        let known: Parameter<'_> = (&self.catalogue, Type::INT8);
        let alone = self.alone.iter().map(|it| (it, None));
        let together = self.together.iter().map(|it| (it, Some(known.clone())));
        let statements = alone.chain(together).map(|((sql, columns), known)| {
            let columns = columns.iter().map(Column::parameter);
            Statement::new(sql, known.into_iter().chain(columns).collect())
        });
        statements.collect()
    }
}

fn add_event(deeds: &mut Deeds<'_>, written: &Written) {
    let row = vec![
        text(log_name(&written.event.log)),
        integer(written.event.revision),
        integer(written.event.at.ms()),
        integer(written.catalogue),
        Value::Bytes(written.chain.to_vec()),
        Value::Bytes(written.bytes.clone()),
    ];
    deeds.add(Deed::Insert(Table::Event), row);
}

fn add_rows(deeds: &mut Deeds<'_>, below: &Tables, events: &[Written]) {
    let made = parents(events);
    // A scope and those above it, apart by spaces, which no id has.
    let above = |scope: &ScopeId| {
        let parent = |id: &&ScopeId| match made.get(*id) {
            Some(parent) => *parent,
            None => below.scope(id)?.parent.as_ref(),
        };
        let ids = std::iter::successors(made.get_key_value(scope).map(|(id, _)| *id), parent);
        let ids: Vec<&str> = ids.map(ScopeId::as_str).collect();
        ids.join(" ")
    };
    let key = |key: &[&str]| key.iter().map(|it| text(it)).collect();
    for ((table, _), Row { key: id, change }) in std::mem::take(&mut deeds.rows) {
        let Some(change) = change else {
            deeds.add(Deed::Delete(table), key(&id));
            continue;
        };
        let row = row_of(&id, change, &above);
        let is_new = match change {
            // Ids that are unique across tenants are not covered by a tenant's lock.
            Change::Scope(row) => below.scope(&row.id).is_none(),
            Change::Request(row) => below.request(&row.id).is_none(),
            // A plain insert costs the database much less than one that would rather change a row.
            Change::Reservation(row) => below.reservation(&row.tenant, &row.id).is_none(),
            _ => false,
        };
        let deed = if is_new {
            Deed::Insert(table)
        } else {
            Deed::Put(table)
        };
        deeds.add(deed, row);
    }
}

/// The parents of the scopes that a batch makes or changes.
fn parents(events: &[Written]) -> BTreeMap<&ScopeId, Option<&ScopeId>> {
    let changes = events.iter().flat_map(|it| &it.event.changes);
    let scopes = changes.filter_map(|change| match change {
        Change::Scope(row) => Some((&row.id, row.parent.as_ref())),
        _ => None,
    });
    scopes.collect()
}

fn add_logs(deeds: &mut Deeds<'_>, below: &Tables, events: &[Written]) {
    let last: BTreeMap<&str, (&Event, &Written)> = events
        .iter()
        .map(|written| (log_name(&written.event.log), (&written.event, written)))
        .collect();
    for (name, (event, written)) in last {
        let row = vec![
            text(name),
            integer(event.revision),
            integer(event.at.ms()),
            Value::Bytes(written.chain.to_vec()),
        ];
        let is_new = !name.is_empty() && below.head(&event.log).revision == 0;
        let deed = if is_new {
            Deed::Insert(Table::Log)
        } else {
            Deed::Put(Table::Log)
        };
        deeds.add(deed, row);
    }
}
