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
    /// The item's id, if the operation is on one.
    #[arg(long, default_value_t = 1)]
    item: u64,
}

const TOKEN_SECONDS: u64 = 600;

pub(crate) fn run(options: &Options) -> Result<()> {
    let token = token::sign(&EnvFile::load()?, &options.user, TOKEN_SECONDS)?;
    let bearer = format!("Bearer {token}");
    let event = filled(&options.function, &options.user, &options.item.to_string(), &bearer)?;
    println!("{event:#}");
    Ok(())
}

/// The functions that have an event.
pub(crate) fn functions() -> Result<Vec<String>> {
    let files = std::fs::read_dir(project::root().join("events"))?;
    let mut functions = Vec::new();
    for file in files {
        let path = file?.path();
        functions.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    functions.sort();
    Ok(functions)
}

/// The event of a function for this user and, if its path names an item, this item, with this
/// `Authorization`.
pub(crate) fn filled(function: &str, user: &str, item: &str, authorization: &str) -> Result<Value> {
    let mut event = read(function)?;
    let (_, route) = route(&event)?;
    let mut path = route.to_owned();
    let parameters = event.get("pathParameters").and_then(Value::as_object).cloned();
    let parameters = parameters.unwrap_or_default().into_iter().map(|(name, _)| {
        let value = if name == "user_id" { user } else { item };
        path = path.replace(&format!("{{{name}}}"), value);
        (name, json!(value))
    });
    let parameters: Value = parameters.collect();
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
    set("/pathParameters", parameters);
    Ok(event)
}

/// The method and the path of an event's route.
pub(crate) fn route(event: &Value) -> Result<(&str, &str)> {
    let key = event.pointer("/requestContext/routeKey").and_then(Value::as_str);
    key.and_then(|key| key.split_once(' ')).context("the event has no route")
}

pub(crate) fn read(function: &str) -> Result<Value> {
    let path = project::root().join("events").join(format!("{function}.json"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        bail!("there is no function {function}: see functions/src/bin");
    };
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
}
