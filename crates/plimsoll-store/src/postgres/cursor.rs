//! All rows of a table, tenant by tenant, a few at a time: for whoever reads a whole database.

use std::collections::VecDeque;

use tokio_postgres::Row;

use super::session::{Fault, Session};

/// A cursor of a transaction. Its first column is the tenant, in order; what is of no tenant comes
/// last.
#[derive(Debug)]
pub(super) struct Cursor {
    fetch: String,
    rows: VecDeque<Row>,
    has_ended: bool,
}

impl Cursor {
    /// Opens it in the transaction that is under way.
    pub(super) async fn open(
        session: &Session,
        name: &str,
        select: &str,
        rows_at_once: usize,
    ) -> Result<Self, Fault> {
        let declare = format!("DECLARE {name} NO SCROLL CURSOR FOR {select}");
        session.run(&declare).await?;
        Ok(Self {
            fetch: format!("FETCH {rows_at_once} FROM {name}"),
            rows: VecDeque::new(),
            has_ended: false,
        })
    }

    /// The row that comes next; `None` at the end.
    pub(super) async fn peek(&mut self, session: &Session) -> Result<Option<&Row>, Fault> {
        if self.rows.is_empty() && !self.has_ended {
            self.rows = session.rows(&self.fetch, &[]).await?.into();
            self.has_ended = self.rows.is_empty();
        }
        Ok(self.rows.front())
    }

    /// Takes the row that comes next.
    pub(super) async fn next(&mut self, session: &Session) -> Result<Option<Row>, Fault> {
        self.peek(session).await?;
        Ok(self.rows.pop_front())
    }

    /// Takes the row that comes next, if it is of this tenant.
    pub(super) async fn next_of(
        &mut self,
        session: &Session,
        tenant: &str,
    ) -> Result<Option<Row>, Fault> {
        let next = self.peek(session).await?;
        let is_of = next.is_some_and(|row| row.get::<_, Option<&str>>(0) == Some(tenant));
        Ok(if is_of { self.rows.pop_front() } else { None })
    }
}
