//! The public keys of an app that signs tokens with its own, in a stage's secret.
use anyhow::{Result, anyhow, ensure};
use shared::{KeySet, KeysUrl, fetch_keys};
use tokio::runtime::Builder;

use super::secret::Secret;
use crate::settings::{JWKS, JWKS_URL, variable};

/// The keys that the app publishes at this URL.
pub(super) fn read(url: &str) -> Result<KeySet> {
    let url: KeysUrl = url.parse().map_err(|fault| anyhow!("{JWKS_URL} {fault}"))?;
    // A local AWS may use a local app.
    ensure!(
        !url.is_local() || variable("AWS_ENDPOINT_URL").is_some(),
        "{JWKS_URL} names an app on this machine, which a function on AWS cannot reach"
    );
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let keys =
        runtime.block_on(fetch_keys(&url)).map_err(|error| anyhow!("{JWKS_URL}: {error}"))?;
    ensure!(!keys.is_empty(), "{JWKS_URL}: {keys}");
    Ok(keys)
}

/// Stores the keys that the app publishes now instead of those before; returns whether they differ.
pub(super) fn store(secret: &mut Secret) -> Result<bool> {
    let Some(url) = secret.get(JWKS_URL) else { return Ok(false) };
    let keys = read(url)?;
    println!("{JWKS_URL}: {keys}.");
    Ok(secret.set(JWKS, &keys.stored()))
}

/// As [`store`], but if the app cannot be reached, the keys that it published at the same URL stay.
pub(super) fn store_if_reachable(secret: &mut Secret, url_before: Option<&str>) -> Result<bool> {
    let same_app = secret.get(JWKS_URL) == url_before && secret.get(JWKS).is_some();
    store(secret).or_else(|error| {
        ensure!(same_app, error);
        println!("{error}. The keys in the secret stay.");
        Ok(false)
    })
}
