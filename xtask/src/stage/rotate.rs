//! Rotates the secret that signs tokens, without refusing any valid token.
use anyhow::{Result, bail};
use secrecy::ExposeSecret;
use shared::SecretList;

use super::aws;
use super::secret::Secret;
use super::{Stage, keys};
use crate::settings::{JWKS_URL, SECRET, SECRETS, random_text};

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
    let secrets: SecretList = match (secret.get(SECRETS), secret.get(SECRET)) {
        (Some(list), _) => list.parse()?,
        (None, Some(one)) => SecretList::of_one(one)?,
        (None, None) => return store_keys(&id, secret, options),
    };
    let keys_url = secret.get(JWKS_URL).map(str::to_owned);
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
    keys::store_if_reachable(&mut secret, keys_url.as_deref())?;
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

/// Without a secret, the app rotates: what is left is to store its present keys.
fn store_keys(id: &str, mut secret: Secret, options: &Options) -> Result<()> {
    if options.finish {
        println!("There is no secret in {id}: no rotation to finish.");
        return Ok(());
    }
    println!("There is no secret in {id}: the app makes new keys by itself.");
    if keys::store(&mut secret)? {
        aws::change_secret(id, &secret.text()?)?;
        println!("These keys are stored; in five minutes no function accepts others.");
    } else {
        println!("These keys are stored already.");
    }
    Ok(())
}
