//! `DELETE /api/{user_id}/tasks`: delete the completed, the open, or all tasks of the signed-in
//! user.
use functions::App;
use functions::tasks::Clear;
use shared::{Owner, Problem, Reply, Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::Error> {
    shared::serve(clear).await
}

async fn clear(app: &App, owner: Owner, request: Request) -> Result<Reply, Problem> {
    let clear = Clear::parse(request.parameters())?;
    request.refuse_if_match()?;
    Ok(Reply::ok(&app.tasks.clear(&owner, clear).await?))
}
