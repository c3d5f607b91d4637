//! After a deployment: whether it works, from outside, with a token of a user that nobody is.
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use shared::Claims;
use ureq::Agent;
use ureq::http::Request;

use super::Stage;
use super::aws;
use super::secret::Secret;
use crate::settings::random_text;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The API's URL, where it is not the one that the stack says.
    #[arg(long)]
    url: Option<String>,
    /// Say what would be done.
    #[arg(long)]
    dry_run: bool,
}

const TOKEN_SECONDS: u64 = 120;

pub(crate) fn run(stage: Stage, options: &Options) -> Result<()> {
    let url = match &options.url {
        Some(url) => url.clone(),
        None => deployed(stage)?,
    };
    let config = Secret::complete(stage)?.config()?;
    let user = format!("check-{}", random_text()?);
    let tasks = format!("{}/api/{user}/tasks", url.trim_end_matches('/'));
    if options.dry_run {
        println!("Would create, list and delete a task at {tasks}.");
        return Ok(());
    }
    let secret = config.auth.secrets.first().context("the stage has no secret to sign with")?;
    let token = shared::sign(&Claims::new(&config.auth, &user, TOKEN_SECONDS), secret)?;
    let call = |method: &str, url: &str, body: Option<Value>| call(method, url, Some(&token), body);

    println!("Checking {url} …");
    let (status, refusal) = self::call("GET", &tasks, None, None)?;
    ensure!(status == 401, "a request without a token got {status}, not 401: {refusal}");

    let (status, task) =
        call("POST", &tasks, Some(json!({ "title": "A check of the deployment" })))?;
    ensure!(status == 201, "the create got {status}, not 201: {task}");
    let listed = call("GET", &tasks, None);
    // Whatever the list said, nothing stays behind.
    let id = task.get("id").context("the new task has no id")?;
    let (deleted, was) = call("DELETE", &format!("{tasks}/{id}"), None)?;
    let (status, list) = listed?;
    ensure!(status == 200 && list == json!([task]), "the list got {status}: {list}");
    ensure!(deleted == 200 && was == task, "the delete got {deleted}: {was}");
    let (_, list) = call("GET", &tasks, None)?;
    ensure!(list == json!([]), "the deleted task is still listed: {list}");
    println!("{} works.", stage.stack());
    Ok(())
}

fn deployed(stage: Stage) -> Result<String> {
    let (stack, name) = (stage.stack(), stage.name());
    let url = aws::output(&stack, "ApiUrl")?;
    url.with_context(|| {
        format!("{stack} is not deployed: sam build --config-env {name} && sam deploy --config-env {name}")
    })
}

/// Sends a request and prints what became of it, its status and the time it took.
fn call(method: &str, url: &str, token: Option<&str>, body: Option<Value>) -> Result<(u16, Value)> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)));
    let agent: Agent = config.build().into();
    let mut request = Request::builder().method(method).uri(url);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let started = Instant::now();
    let response = match body {
        Some(body) => {
            agent.run(request.header("content-type", "application/json").body(body.to_string())?)
        }
        None => agent.run(request.body(())?),
    };
    let mut response = response.with_context(|| format!("{method} {url}"))?;
    let text = response.body_mut().read_to_string()?;
    let status = response.status().as_u16();
    println!("  {method:<6} {status} in {} ms", started.elapsed().as_millis());
    Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
}
