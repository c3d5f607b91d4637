//! A user of the API, whose requests are API Gateway events.
use anyhow::{Result, ensure};
use hyper::body::Bytes;
use serde_json::{Value, json};
use tests::{Answer, Reply, Request, Token};

/// Longer than any run.
const TOKEN_SECONDS: u64 = 24 * 60 * 60;

/// A signed-in user.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) user: String,
    token: String,
}

impl Caller {
    pub(crate) fn new(user: &str) -> Self {
        let token = Token::of(user).with("exp", json!(tests::now() + TOKEN_SECONDS)).sign();
        Self { user: user.to_owned(), token }
    }

    /// The event of a request; `task` is used only if the operation has a task id.
    pub(crate) fn event(&self, request: &Request, task: i64) -> Bytes {
        request.event(&self.user, task, &self.token).to_string().into()
    }
}

/// The body of an answer, which must have this status.
pub(crate) fn expect(reply: Reply, status: u16) -> Result<Value> {
    ensure!(reply.status == status, "{} instead of {status}: {}", reply.status, reply.body);
    Ok(reply.body)
}

/// Fails if one of these answers has another status.
pub(crate) fn expect_all(answers: &[Answer], status: u16) -> Result<()> {
    for answer in answers {
        if answer.status()? != status {
            expect(Reply::read(&answer.body)?, status)?;
        }
    }
    Ok(())
}
