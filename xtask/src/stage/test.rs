//! Runs tests of the API against a deployed stage.
use anyhow::{Context, Result};
use secrecy::ExposeSecret;

use super::Stage;
use super::deployed::Deployed;
use super::secret::Secret;
use crate::{project, tools};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The API's URL, if it is not the stack's output `ApiUrl`.
    #[arg(long)]
    url: Option<String>,
    /// Names of tests that need nothing but the API, such as `get::`.
    #[arg(required = true)]
    names: Vec<String>,
}

pub(crate) fn run(stage: Stage, options: &Options) -> Result<()> {
    let deployed = Deployed::read(stage)?;
    let url = options.url.as_deref().map_or_else(|| deployed.url(), Ok)?;
    let auth = Secret::complete(stage)?.config()?.auth;
    let secret = auth
        .secrets
        .first()
        .context("the app of this stage signs with its own keys: the tests need a secret")?;
    let mut command = project::cargo();
    command.args(["test", "--workspace", "--test", "api", "--", "--test-threads", "2"]);
    command.args(&options.names).env("TASK_API_TESTS_URL", url.trim_end_matches('/'));
    command.env("BETTER_AUTH_SECRET", secret.expose_secret());
    command.env("JWT_ISSUER", auth.issuer.unwrap_or_default());
    command.env("JWT_AUDIENCE", auth.audience.unwrap_or_default());
    tools::run(&mut command).context("the tests failed")
}
