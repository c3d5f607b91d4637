//! `POST /api/{user_id}/tasks`: a new task for the signed-in user.
use shared::{Api, NewTask, Owner, Problem, Reply, Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::Error> {
    shared::serve(create).await
}

async fn create(api: &Api, owner: Owner, request: Request) -> Result<Reply, Problem> {
    let new: NewTask = request.json()?;
    let key = request.idempotency_key()?;
    let created = api.tasks.create(&owner, new, key).await?;
    Ok(Reply::created(&owner, &created))
}
