//! `PUT` or `PATCH /api/{user_id}/tasks/{task_id}`: change the fields of a task that the body sets.
use functions::App;
use shared::{Owner, Problem, Reply, Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::Error> {
    shared::serve(update).await
}

async fn update(app: &App, owner: Owner, request: Request) -> Result<Reply, Problem> {
    let (change, id) = (request.json()?, request.id()?);
    let task = app.tasks.update(&owner, id, change, &request.changeable()).await?;
    Ok(Reply::stored(&task))
}
