//! `GET /api/{user_id}/tasks`.
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::User;
use serde_json::{Value, json};

/// Follows `Link` from this query to the last page; returns all titles and the number of pages.
fn walk(user: &User, query: &str) -> (Vec<String>, usize) {
    let (mut all, mut pages) = (Vec::new(), 0);
    let mut next = Some(format!("{}{query}", user.path()));
    while let Some(path) = next {
        let reply = user.send("GET", &path, &[], "");
        assert_eq!(reply.status, 200, "{reply:#?}");
        all.extend(reply.texts("title").into_iter().map(str::to_owned));
        pages += 1;
        next = reply.next().map(str::to_owned);
    }
    (all, pages)
}

#[test]
fn list_is_empty_for_a_new_user() {
    let reply = User::new().list("");
    assert_eq!(reply.next(), None);
    assert_eq!(reply.expect(200), json!([]));
}

#[test]
fn list_shows_the_newest_first() {
    let user = User::new();
    let mut tasks: Vec<Value> = ["a", "b", "c"].iter().map(|title| user.new_task(title)).collect();
    tasks.reverse();
    assert_eq!(user.list("").expect(200), json!(tasks));
    // A change does not affect the order.
    let changed = user.complete(&tasks[2]["id"], &[], "").expect(200);
    tasks[2] = changed;
    assert_eq!(user.list("").expect(200), json!(tasks));
}

#[test]
fn list_filters_by_completion() {
    let user = User::new();
    let done = user.new_task("done");
    let open = user.new_task("open");
    let done = user.complete(&done["id"], &[], "").expect(200);
    for query in [
        "?completed=true",
        "?completed=1",
        "?completed=True",
        "?completed=TRUE",
        "?limit=5&completed=true",
        "?completed=false&completed=true",
    ] {
        assert_eq!(user.list(query).expect(200), json!([done]), "{query}");
    }
    for query in ["?completed=false", "?completed=0", "?completed=False"] {
        assert_eq!(user.list(query).expect(200), json!([open]), "{query}");
    }
    assert_eq!(user.list("?unknown=x&utm=").expect(200), json!([open, done]));
}

#[test]
fn list_refuses_a_bad_query_and_names_all_of_it() {
    let user = User::new();
    let reply = user.list("?limit=0&offset=-1&completed=2");
    assert_eq!(reply.faults(), ["limit", "offset", "completed"]);
    assert_eq!(user.list("?after=%00").faults(), ["after"]);
    assert_eq!(user.list("?offset=9007199254740992").faults(), ["offset"]);
}

#[test]
fn list_has_fifty_to_a_page_and_links_to_the_next() {
    let user = User::new();
    for n in 0..53 {
        user.new_task(&n.to_string());
    }
    let first = user.list("");
    assert_eq!(first.body.as_array().unwrap().len(), 50);
    let second = user.send("GET", first.next().unwrap(), &[], "");
    assert_eq!((second.texts("title"), second.next()), (vec!["2", "1", "0"], None));
    // Generated clients send defaults.
    let with_default = user.send("GET", &format!("{}&offset=0", first.next().unwrap()), &[], "");
    assert_eq!(with_default.texts("title"), ["2", "1", "0"]);
    let both = user.send("GET", &format!("{}&offset=1", first.next().unwrap()), &[], "");
    assert_eq!(both.faults(), ["after"]);
    let newest_first: Vec<String> = (0..53).rev().map(|n| n.to_string()).collect();
    for (query, pages) in [
        ("", 2),
        ("?limit=100", 1),
        ("?limit=53", 1),
        ("?limit=52", 2),
        ("?limit=10", 6),
        ("?limit=1", 53),
    ] {
        assert_eq!(walk(&user, query), (newest_first.clone(), pages), "{query}");
    }
    assert_eq!(walk(&user, "?limit=20&offset=10"), (newest_first[10..].to_vec(), 3));
    assert_eq!(user.list("?offset=50").texts("title"), ["2", "1", "0"]);
    for beyond in ["?offset=53", "?offset=9007199254740991"] {
        let reply = user.list(beyond);
        assert_eq!((reply.next(), &reply.body), (None, &json!([])), "{beyond}");
    }
}

#[test]
fn the_link_keeps_the_other_parameters() {
    let user = User::new();
    for n in 0..5 {
        let task = user.new_task(&n.to_string());
        if n % 2 == 0 {
            user.complete(&task["id"], &[], "").expect(200);
        }
    }
    assert_eq!(walk(&user, "?completed=true&limit=1").0, ["4", "2", "0"]);
    let reply = user.list("?completed=true&x=a%26b%3E&limit=2&offset=0");
    let next = reply.next().unwrap();
    let expected = format!("{}?completed=true&x=a%26b%3E&limit=2&after=", user.path());
    assert!(next.starts_with(&expected), "{next}");
}

#[test]
fn a_cursor_shows_no_other_users_tasks() {
    let (user, other) = (User::new(), User::new());
    for title in ["a", "b"] {
        user.new_task(title);
    }
    let link = user.list("?limit=1").next().unwrap().to_owned();
    let (_, query) = link.split_once('?').unwrap();
    assert_eq!(other.list(&format!("?{query}")).expect(200), json!([]));
}

#[test]
fn a_walk_sees_each_task_once_while_others_are_made_and_deleted() {
    let user = User::new();
    for n in 0..30 {
        user.new_task(&format!("old {n}"));
    }
    let done = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let task = user.new_task("new");
                user.delete(user.new_task("gone")["id"].clone(), &[]).expect(200);
                user.complete(&task["id"], &[], "").expect(200);
            }
        });
        let walks: Vec<_> = (0..5).map(|_| walk(&user, "?limit=3").0).collect();
        done.store(true, Ordering::Relaxed);
        walks
    });
    let old: Vec<String> = (0..30).rev().map(|n| format!("old {n}")).collect();
    for walk in seen {
        let walked: Vec<String> =
            walk.into_iter().filter(|title| title.starts_with("old")).collect();
        assert_eq!(walked, old);
    }
}
