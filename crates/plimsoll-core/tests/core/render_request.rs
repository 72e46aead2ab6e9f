//! Requests as people read them.

use plimsoll_core::model::{Request, RequestStatus, Ruling};

use crate::render::{ceiling, instant, item};

/// A request, and what became of it.
pub(crate) fn request(row: &Request) -> String {
    let Request {
        id,
        scope,
        reason,
        submitted_by,
        revision,
        ..
    } = row;
    let (of, asked, present) = (item(&row.item), ceiling(row.ceiling), ceiling(row.present));
    let at = instant(row.submitted_at);
    let before = row.approved_before.map_or(String::new(), |at| {
        format!(", approved before at {}", instant(at))
    });
    format!(
        "request {id} #{revision} of {submitted_by} at {at}: {scope} {of} {asked} over {present} \
         `{reason}`{before}; {}",
        status(&row.status)
    )
}

fn status(status: &RequestStatus) -> String {
    match status {
        RequestStatus::Pending => "pending".to_owned(),
        RequestStatus::Approved {
            ruling: it,
            ceiling: granted,
            ends_at,
            limit_revision,
            automatic,
        } => {
            let until = ends_at.map_or(String::new(), |at| format!(" until {}", instant(at)));
            let how = if *automatic { " at once" } else { "" };
            let (granted, ruling) = (ceiling(*granted), ruling(it));
            format!("approved{how} {granted}{until} as limit #{limit_revision} {ruling}")
        }
        RequestStatus::Denied(it) => format!("denied {}", ruling(it)),
        RequestStatus::Cancelled(it) => format!("cancelled {}", ruling(it)),
    }
}

fn ruling(ruling: &Ruling) -> String {
    format!(
        "by {} at {} `{}`",
        ruling.by,
        instant(ruling.at),
        ruling.reason
    )
}
