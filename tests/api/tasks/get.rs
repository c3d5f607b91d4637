//! `GET /api/{user_id}/tasks/{task_id}`.
use serde_json::Value;

use super::User;

#[test]
fn get_answers_304_to_who_has_this_version() {
    let user = User::new();
    let task = user.new_task("t");
    let path = user.path_of(&task["id"]);
    let etag = user.get(&task["id"]).header("etag").to_owned();
    for seen in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".into()] {
        let reply = user.send("GET", &path, &[("if-none-match", &seen)], "");
        assert_eq!((reply.status, &reply.body), (304, &Value::Null), "{seen}");
        assert_eq!(reply.header("etag"), etag);
    }
    for other in ["\"x\"", "\"999\"", "", &etag[1..]] {
        assert_eq!(user.send("GET", &path, &[("if-none-match", other)], "").expect(200), task);
    }
    user.complete(&task["id"], &[], "").expect(200);
    assert_eq!(user.send("GET", &path, &[("if-none-match", &etag)], "").status, 200);
}

#[test]
fn get_knows_no_other_task() {
    let user = User::new();
    for id in ["1", "9007199254740991"] {
        user.get(id).expect_problem(404, "task_not_found");
    }
}
