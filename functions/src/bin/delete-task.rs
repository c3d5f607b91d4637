//! `DELETE /api/{user_id}/tasks/{task_id}`: delete a task and return it as it was.
use shared::{App, Owner, Problem, Reply, Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::Error> {
    shared::serve(delete).await
}

async fn delete(app: &App, owner: Owner, request: Request) -> Result<Reply, Problem> {
    let id = request.task_id()?;
    let task = app.tasks.delete(&owner, id, &request.changeable()).await?;
    // Without an `ETag`: that version is gone.
    Ok(Reply::ok(&task))
}
