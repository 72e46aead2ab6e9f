//! Webhooks.

use plimsoll_core::command::Action;
use plimsoll_core::model::Topic;

use super::super::wire::leaf::{AtMost, Parsed};
use super::super::wire::requests::WebhookBody;
use super::super::{Call, NewWebhook, Problem, Read};
use super::lines::wrong;
use super::{Input, body};

pub(in crate::native) fn put(input: &Input<'_>) -> Result<Call, Problem> {
    let id = input.path.first("id")?;
    let body: WebhookBody = body::read(input.body)?;
    let topics = match body.topics {
        None => Topic::ALL.to_vec(),
        Some(AtMost(topics)) => to_topics(topics)?,
    };
    Ok(Call::PutWebhook(NewWebhook {
        id,
        reach: body.scope.0,
        url: body.url.0.0,
        topics,
        enabled: body.enabled.unwrap_or(true),
    }))
}

fn to_topics(named: Vec<Parsed<Topic>>) -> Result<Vec<Topic>, Problem> {
    if named.is_empty() {
        let must = "must have at least one topic: leave it out for all of them";
        return Err(wrong("/topics".to_owned(), must));
    }
    let mut topics = Vec::with_capacity(named.len());
    for (index, Parsed(topic)) in named.into_iter().enumerate() {
        if topics.contains(&topic) {
            let must = "is there twice: name each topic once";
            return Err(wrong(format!("/topics/{index}"), must));
        }
        topics.push(topic);
    }
    topics.sort_unstable();
    Ok(topics)
}

pub(in crate::native) fn all(_: &Input<'_>) -> Result<Call, Problem> {
    Ok(Call::Read(Read::Webhooks))
}

pub(in crate::native) fn one(input: &Input<'_>) -> Result<Call, Problem> {
    let id = input.path.first("id")?;
    Ok(Call::Read(Read::Webhook(id)))
}

pub(in crate::native) fn delete(input: &Input<'_>) -> Result<Call, Problem> {
    let id = input.path.first("id")?;
    Ok(Call::Act(Action::DeleteWebhook { id }))
}
