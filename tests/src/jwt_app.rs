//! An app of Better Auth with its plugin `jwt()`.
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::{new_database, sql, tool};

/// A running app with one signed-in user, on a database of its own.
pub struct JwtApp {
    /// Its URL, which is also the issuer and the audience of its tokens.
    pub url: String,
    /// The user's id.
    pub user: String,
    database_url: String,
    process: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl JwtApp {
    /// An app that signs with this algorithm.
    pub fn start(algorithm: &str) -> Self {
        let [database_url, _] = new_database();
        let mut command = Command::new("node");
        command.arg("e2e/jwt-app.mjs").current_dir(tool("app"));
        command.env("ALGORITHM", algorithm).env("DATABASE_URL", &database_url);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = process.stdin.take().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (url, user) = Default::default();
        let mut app = Self { url, user, database_url, process, stdin, lines };
        let ready = app.line();
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();
        (app.url, app.user) = (text("url"), text("user"));
        app
    }

    /// Where it publishes its keys.
    pub fn keys_url(&self) -> String {
        format!("{}/api/auth/jwks", self.url)
    }

    /// The keys that it publishes.
    pub fn keys(&mut self) -> Value {
        self.ask("/jwks")
    }

    /// A new token of the user, as the app's client gets it.
    pub fn token(&mut self) -> String {
        self.ask("/token")["token"].as_str().unwrap().to_owned()
    }

    /// Makes it sign with a new key from now on.
    pub fn rotate(&self) {
        sql(&self.database_url, "UPDATE jwks SET \"expiresAt\" = now() - interval '1 second'");
    }

    fn ask(&mut self, path: &str) -> Value {
        writeln!(self.stdin, "{path}").unwrap();
        self.line()
    }

    fn line(&mut self) -> Value {
        self.lines.next().expect("the app ended").unwrap().parse().unwrap()
    }
}

impl Drop for JwtApp {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
