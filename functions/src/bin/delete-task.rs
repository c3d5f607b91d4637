//! `DELETE /api/{user_id}/tasks/{task_id}`: delete a task and return it as it was.
use functions::App;
use shared::{Owner, Problem, Reply, Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::Error> {
    shared::serve(delete).await
}

async fn delete(app: &App, owner: Owner, request: Request) -> Result<Reply, Problem> {
    let task = app.tasks.delete(&owner, request.id()?, &request.changeable()).await?;
    // Without an `ETag`: that version is gone.
    Ok(Reply::ok(&task))
}
