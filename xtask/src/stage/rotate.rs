//! A rotation of the secret that signs tokens, in which no valid token is ever refused.
use anyhow::{Result, bail};

use super::Stage;
use super::aws;
use super::secret::Secret;
use crate::settings::{SECRET, SECRETS, random_text};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The frontend signs with the new secret, and the old tokens have ended: forget the old secret.
    #[arg(long)]
    finish: bool,
    /// Say what would be done.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(stage: Stage, options: &Options) -> Result<()> {
    let (name, id) = (stage.name(), stage.secret());
    let mut secret = Secret::complete(stage)?;
    // Checked just now: each entry is `version:secret`, the first signs.
    let entries: Vec<String> = if let Some(list) = secret.get(SECRETS) {
        list.split(',').map(|entry| entry.trim().to_owned()).collect()
    } else {
        let only = secret.get(SECRET).unwrap_or_default();
        if only.contains(',') || only.trim() != only {
            bail!(
                "{SECRET} has a comma, or a space at an end, and so no place in a list: give both sides another first"
            );
        }
        vec![format!("1:{only}")]
    };
    let rotated = match (entries.as_slice(), options.finish) {
        ([first, _, ..], true) => first.clone(),
        ([_], true) => {
            println!("There is one secret in {id}: no rotation to finish.");
            return Ok(());
        }
        ([current], false) => format!("{}:{},{current}", next_version(current), random_text()?),
        _ => bail!(
            "a rotation of {id} is under way: `cargo xtask stage {name} rotate --finish` ends it"
        ),
    };
    if options.dry_run {
        let what = if options.finish { "forget the old one" } else { "put a new one before it" };
        println!("Would change the secrets for tokens in {id}: {what}.");
        return Ok(());
    }
    secret.set(SECRETS, &rotated);
    // Where there is a list, Better Auth and the functions read nothing else.
    secret.remove(SECRET);
    secret.config()?;
    aws::change_secret(&id, &secret.text()?)?;
    if options.finish {
        println!("The old secret is gone from {id}; no function accepts it after five minutes.");
        println!("At the frontend's next deployment, give it the new value of {SECRETS}.");
    } else {
        println!("{id} has a new secret before the old one; the functions accept both.");
        println!("Now give the frontend its {SECRETS}, which is in:");
        println!(
            "  aws secretsmanager get-secret-value --secret-id {id} --query SecretString --output text"
        );
        println!("Once it signs with it, and ten minutes later no old token is left:");
        println!("  cargo xtask stage {name} rotate --finish");
    }
    Ok(())
}

fn next_version(entry: &str) -> u32 {
    let version = entry.split_once(':').and_then(|(version, _)| version.trim().parse().ok());
    version.map_or(1, |version: u32| version.saturating_add(1))
}
