//! `POST /api/{user_id}/tasks`: a new task for the signed-in user.
use shared::{App, NewTask, Owner, Problem, Reply, Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::Error> {
    shared::serve(create).await
}

async fn create(app: &App, owner: Owner, request: Request) -> Result<Reply, Problem> {
    let new: NewTask = request.json()?;
    let key = request.idempotency_key()?;
    let created = app.tasks.create(&owner, new, key).await?;
    Ok(Reply::created(&created))
}
