//! `Idempotency-Key` on every operation that accepts it.
use std::thread;

use serde_json::{Value, json};
use tests::{Items, Request, User, resources};

/// A create with its key, for each resource.
fn creates() -> impl Iterator<Item = (&'static tests::Resource, Request)> {
    let creates = resources().iter().map(|resource| (resource, resource.create().example()));
    creates.inspect(|(resource, _)| assert!(resource.create().takes("idempotency-key")))
}

/// The number of items.
fn count(items: &Items) -> usize {
    items.list("?limit=100").expect(200).as_array().unwrap().len()
}

#[test]
fn the_same_key_and_body_give_the_first_answer_again() {
    let user = User::new();
    // The key is the same for all resources.
    for (resource, create) in creates() {
        let first = user.ask(&create, "");
        assert_eq!((first.status, first.header("idempotent-replayed")), (201, ""));
        let mut more: Value = create.body.parse().unwrap();
        more["x"] = json!(1);
        for again in [create.clone(), create.with_body(more)] {
            let again = user.ask(&again, "");
            assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"));
            assert_eq!(again.body, first.body);
            for header in ["etag", "location"] {
                assert_eq!(again.header(header), first.header(header));
            }
        }
        assert_eq!(user.items(resource).list("").expect(200), json!([first.body]));
    }
}

#[test]
fn the_same_key_with_another_body_is_refused() {
    let user = User::new();
    for (resource, create) in creates() {
        let first = user.ask(&create, "").expect(201);
        let other = create.clone().with_text("other");
        assert_ne!(other.body, create.body);
        assert_eq!(user.ask(&other, "").faults(), ["Idempotency-Key"]);
        assert_eq!(user.ask(&create.with_body("{"), "").faults(), ["body"]);
        assert_eq!(user.items(resource).list("").expect(200), json!([first]));
    }
}

#[test]
fn keys_are_per_user_and_case_sensitive() {
    for (resource, create) in creates() {
        let (user, other) = (User::new(), User::new());
        let upper = create.clone().with_header("idempotency-key", "Key");
        let keyless = create.clone().without_key();
        let theirs = other.ask(&create, "").expect(201);
        for request in [create, upper, keyless] {
            let reply = user.ask(&request, "");
            assert_eq!(reply.header("idempotent-replayed"), "");
            assert_ne!(reply.expect(201)["id"], theirs["id"]);
        }
        assert_eq!(count(&user.items(resource)), 3);
        assert_eq!(other.items(resource).list("").expect(200), json!([theirs]));
    }
}

#[test]
fn sixteen_creates_at_once_under_one_key_make_one_item() {
    for (resource, create) in creates() {
        let user = User::new();
        let replies: Vec<_> = thread::scope(|scope| {
            let create = || user.ask(&create, "");
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(create)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let item = user.items(resource).list("").expect(200)[0].clone();
        assert_eq!(user.items(resource).list("").expect(200), json!([item]));
        for reply in &replies {
            assert_eq!((reply.status, &reply.body), (201, &item), "{reply:#?}");
        }
        let first = replies.iter().filter(|reply| reply.header("idempotent-replayed").is_empty());
        assert_eq!(first.count(), 1);
    }
}

#[test]
fn a_late_repeat_does_not_bring_a_deleted_item_back() {
    for (resource, create) in creates() {
        let user = User::new();
        let item = user.ask(&create, "").expect(201);
        let update = resource.update().example();
        assert_ne!(user.ask(&update, &item["id"]).expect(200), item);
        assert_eq!(user.ask(&create, "").expect(201), item);
        user.items(resource).delete(&item["id"], &[]).expect(200);
        assert_eq!(user.ask(&create, "").expect(201), item);
        assert_eq!(user.items(resource).list("").expect(200), json!([]));
    }
}

#[test]
fn a_key_is_1_to_255_visible_ascii_characters() {
    let user = User::new();
    for (_, create) in creates() {
        let with = |key: &str| user.ask(&create.clone().with_header("idempotency-key", key), "");
        assert_eq!(with(&"k".repeat(255)).status, 201);
        for bad in ["two words", &"k".repeat(256)] {
            assert_eq!(with(bad).faults(), ["Idempotency-Key"], "{bad}");
        }
    }
}
