//! Erasing an account: all that a user has, in every resource.
use serde_json::{Value, json};
use tests::{Items, Reply, User, database, embedded_stack, operation, resources, sql};

fn erase(user: &User, query: &str) -> Reply {
    user.ask(&operation("erase-account").example().with_query(query), "")
}

fn items_of(user: &User) -> impl Iterator<Item = Items> {
    resources().iter().map(|resource| user.items(resource))
}

/// The number of rows that a user has in a table.
fn count(table: &str, user: &User) -> String {
    let count = format!("SELECT count(*) FROM {table} WHERE user_id = '{}'", user.id);
    sql(&database().url, &count).remove(0)
}

#[test]
fn erase_deletes_the_items_and_keys_of_every_resource_and_of_no_other_user() {
    let [user, other] = [User::of(embedded_stack()), User::of(embedded_stack())];
    for user in [&user, &other] {
        for items in items_of(user) {
            items.add();
            let body = items.resource.create().example_body();
            items.create_once("key", &body).expect(201);
        }
    }
    let deleted = 2 * resources().len();
    assert_eq!(erase(&user, "").expect(200), json!({ "deleted": deleted, "more": false }));
    for (mine, theirs) in items_of(&user).zip(items_of(&other)) {
        assert_eq!(mine.list("").expect(200), json!([]));
        assert_eq!(theirs.list("").expect(200).as_array().unwrap().len(), 2);
    }
    assert_eq!(count("idempotency_keys", &user), "0");
    assert_eq!(count("idempotency_keys", &other), resources().len().to_string());
    assert_eq!(erase(&user, "").expect(200), json!({ "deleted": 0, "more": false }));
}

#[test]
fn erase_keeps_what_changed_after_until_and_refuses_conditions() {
    let user = User::new();
    let added: Vec<Value> = items_of(&user).map(|items| items.add()).collect();
    let first = added[0]["updated_at"].as_str().unwrap();
    assert_eq!(erase(&user, "until=now").faults(), ["until"]);
    let conditional = operation("erase-account").example().with_header("if-match", "\"1\"");
    assert_eq!(user.ask(&conditional, "").status, 412);
    let before = erase(&user, "until=2026-01-01T00:00:00Z").expect(200);
    assert_eq!(before, json!({ "deleted": 0, "more": false }));
    let one = erase(&user, &format!("until={first}")).expect(200);
    assert_eq!(one, json!({ "deleted": 1, "more": false }));
    let left = items_of(&user).map(|items| items.list("").expect(200).as_array().unwrap().len());
    assert_eq!(left.sum::<usize>(), added.len() - 1);
}

#[test]
fn a_request_erases_ten_thousand_at_most_and_says_whether_more_remain() {
    let user = User::of(embedded_stack());
    let rows = |count: usize| format!("generate_series(1, {count})");
    for resource in resources() {
        let id = format!("'{}'", user.id);
        let keys = format!("SELECT {id}, 'key ' || n, ''::bytea, n FROM {} n", rows(3000));
        let fill = resource.insert(&resource.kinds()[0], &id, &rows(9000));
        sql(&database().url, &format!("{fill}; {}", resource.insert_keys(&keys)));
    }
    let stored = |user: &User| -> usize {
        let tables = resources().iter().map(|resource| resource.table.as_str());
        let tables = tables.chain(["idempotency_keys"]);
        tables.map(|table| count(table, user).parse::<usize>().unwrap()).sum()
    };
    let mut left = 12_000 * resources().len();
    let mut deleted = 0;
    while left > 0 {
        assert_eq!(stored(&user), left);
        let answer = erase(&user, "").expect(200);
        left = left.saturating_sub(10_000);
        assert_eq!(answer["more"], json!(left > 0), "{left}");
        deleted += answer["deleted"].as_u64().unwrap();
    }
    assert_eq!((stored(&user), deleted), (0, 9000 * resources().len() as u64));
}
