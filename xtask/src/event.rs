//! Prints an API Gateway event for a function: the one in `events/`, with a valid token.
use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::env_file::EnvFile;
use crate::settings::random_text;
use crate::{project, token};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The function, such as `list-tasks`.
    function: String,
    /// The user's id.
    #[arg(long, default_value = "dev-user")]
    user: String,
    /// The task's id, if the event has one.
    #[arg(long, default_value_t = 1)]
    task: u64,
}

const TOKEN_SECONDS: u64 = 600;

pub(crate) fn run(options: &Options) -> Result<()> {
    let token = token::sign(&EnvFile::load()?, &options.user, TOKEN_SECONDS)?;
    let bearer = format!("Bearer {token}");
    let event = filled(&options.function, &options.user, options.task, &bearer)?;
    println!("{event:#}");
    Ok(())
}

/// The event of a function for this user and task, with this `Authorization`.
pub(crate) fn filled(function: &str, user: &str, task: u64, authorization: &str) -> Result<Value> {
    let mut event = read(function)?;
    let parameters = [("user_id", user.to_owned()), ("task_id", task.to_string())];
    let route = event.pointer("/requestContext/routeKey").and_then(Value::as_str);
    let (_, route) = route.and_then(|key| key.split_once(' ')).context("the event has no route")?;
    let path = parameters
        .iter()
        .fold(route.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
    let now = Timestamp::now();
    // A repeated key would return the first answer.
    let key = random_text()?;

    let mut set = |pointer: &str, value: Value| {
        if let Some(place) = event.pointer_mut(pointer) {
            *place = value;
        }
    };
    set("/headers/authorization", json!(authorization));
    set("/headers/idempotency-key", json!(key));
    set("/rawPath", json!(path));
    set("/requestContext/http/path", json!(path));
    set("/requestContext/time", json!(now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()));
    set("/requestContext/timeEpoch", json!(now.as_millisecond()));
    for (name, value) in parameters {
        set(&format!("/pathParameters/{name}"), json!(value));
    }
    Ok(event)
}

fn read(function: &str) -> Result<Value> {
    let path = project::root().join("events").join(format!("{function}.json"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        bail!("there is no function {function}: see functions/src/bin");
    };
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
}
