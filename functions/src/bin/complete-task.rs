//! `PATCH /api/{user_id}/tasks/{task_id}/complete`: complete or reopen a task; without a body,
//! toggle it.
use functions::App;
use shared::{Owner, Problem, Reply, Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::Error> {
    shared::serve(complete).await
}

async fn complete(app: &App, owner: Owner, request: Request) -> Result<Reply, Problem> {
    let (completion, id) = (request.json_or_default()?, request.id()?);
    let task = app.tasks.complete(&owner, id, completion, &request.changeable()).await?;
    Ok(Reply::stored(&task))
}
