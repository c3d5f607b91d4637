//! `DELETE /api/{user_id}/tasks/{task_id}`.
use std::thread;

use super::User;
use serde_json::json;

#[test]
fn delete_answers_with_what_it_deleted() {
    let user = User::new();
    let (task, other) = (user.new_task("t"), user.new_task("other"));
    let reply = user.delete(&task["id"], &[]);
    assert_eq!(reply.header("etag"), "");
    assert_eq!(reply.expect(200), task);
    user.get(&task["id"]).expect_problem(404, "task_not_found");
    user.delete(&task["id"], &[]).expect_problem(404, "task_not_found");
    user.complete(&task["id"], &[], "").expect_problem(404, "task_not_found");
    user.update(&task["id"], &[], &json!({ "title": "t" })).expect_problem(404, "task_not_found");
    assert_eq!(user.list("").expect(200), json!([other]));
}

#[test]
fn of_many_deletes_one_deletes() {
    let user = User::new();
    let task = user.new_task("t");
    let mut statuses: Vec<u16> = thread::scope(|scope| {
        let delete = || user.delete(&task["id"], &[]).status;
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(delete)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404, 404, 404, 404, 404, 404, 404]);
}
