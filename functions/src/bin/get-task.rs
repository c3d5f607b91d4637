//! `GET /api/{user_id}/tasks/{task_id}`: one task of the signed-in user.
use functions::App;
use shared::{Owner, Problem, Reply, Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::Error> {
    shared::serve(get).await
}

async fn get(app: &App, owner: Owner, request: Request) -> Result<Reply, Problem> {
    let task = app.tasks.get(&owner, request.id()?, &request.if_match()).await?;
    Ok(Reply::stored_or_not_modified(&task, &request.if_none_match()))
}
