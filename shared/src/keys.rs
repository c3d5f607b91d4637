//! The public keys with which an app signs tokens: what is usable of a JSON Web Key Set, and where
//! it is fetched.
mod fetch;
mod jwk;
mod set;
mod url;

pub use self::fetch::{KeysError, fetch_keys};
pub(crate) use self::jwk::PublicKey;
pub use self::set::KeySet;
pub use self::url::KeysUrl;
