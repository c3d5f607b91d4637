//! `GET /api/{user_id}/tasks/{task_id}`: one task of the signed-in user.
use shared::{App, Owner, Problem, Reply, Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::Error> {
    shared::serve(get).await
}

async fn get(app: &App, owner: Owner, request: Request) -> Result<Reply, Problem> {
    let id = request.task_id()?;
    let task = app.tasks.get(&owner, id, &request.if_match()).await?;
    Ok(Reply::task_unless(&task, &request.if_none_match()))
}
