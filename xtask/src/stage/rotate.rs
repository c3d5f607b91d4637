//! Rotates the secret that signs tokens, without refusing any valid token.
use anyhow::{Result, bail};
use secrecy::ExposeSecret;
use shared::SecretList;

use super::Stage;
use super::aws;
use super::secret::Secret;
use crate::settings::{SECRET, SECRETS, random_text};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Remove the old secret, once the frontend signs with the new one and the old tokens have
    /// expired.
    #[arg(long)]
    finish: bool,
}

pub(crate) fn run(stage: Stage, options: &Options) -> Result<()> {
    let (name, id) = (stage.name(), stage.secret());
    let mut secret = Secret::complete(stage)?;
    let secrets: SecretList = match secret.get(SECRETS) {
        Some(list) => list.parse()?,
        None => SecretList::of_one(secret.get(SECRET).unwrap_or_default())?,
    };
    let count = secrets.entries().len();
    let rotated = match (count, options.finish) {
        (1, true) => {
            println!("There is one secret in {id}: no rotation to finish.");
            return Ok(());
        }
        (1, false) => secrets.with_new(random_text()?.into()),
        (_, true) => secrets.first_only(),
        (_, false) => bail!(
            "a rotation of {id} is under way: `cargo xtask stage {name} rotate --finish` ends it"
        ),
    };
    secret.set(SECRETS, rotated.setting().expose_secret());
    // If there is a list, Better Auth and the functions ignore the single secret.
    secret.remove(SECRET);
    secret.config()?;
    aws::change_secret(&id, &secret.text()?)?;
    if options.finish {
        println!("The old secret is removed from {id}; in five minutes no function accepts it.");
        println!("Give the frontend the new value of {SECRETS} at its next deployment.");
    } else {
        println!("{id} now has a new secret before the old one; the functions accept both.");
        println!("Give the frontend the new {SECRETS}: docs/operate.md#rotate-the-secret.");
        println!("Ten minutes after it is deployed: cargo xtask stage {name} rotate --finish");
    }
    Ok(())
}
