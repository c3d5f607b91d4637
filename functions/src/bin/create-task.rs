//! `POST /api/{user_id}/tasks`: a new task for the signed-in user.
use functions::App;
use shared::{Owner, Problem, Reply, Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::Error> {
    shared::serve(create).await
}

async fn create(app: &App, owner: Owner, request: Request) -> Result<Reply, Problem> {
    let (task, key) = (request.json()?, request.idempotency_key()?);
    let task = app.tasks.create(&owner, task, key).await?;
    Ok(Reply::created(&task))
}
