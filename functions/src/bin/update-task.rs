//! `PUT` or `PATCH /api/{user_id}/tasks/{task_id}`: change the title, the description or the
//! completion of a task.
use shared::{App, Owner, Problem, Reply, Request, TaskChange};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::Error> {
    shared::serve(update).await
}

async fn update(app: &App, owner: Owner, request: Request) -> Result<Reply, Problem> {
    let change: TaskChange = request.json()?;
    let id = request.task_id()?;
    let task = app.tasks.update(&owner, id, change, &request.changeable()).await?;
    Ok(Reply::task(&task))
}
