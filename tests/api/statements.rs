//! One statement per request, according to PostgreSQL.
use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Executed, User, database, embedded_stack, requests, resources, statements};

#[test]
fn every_request_is_one_statement() {
    let user = User::of(embedded_stack());
    let mut count = 0;
    for request in requests() {
        let mut stale = request.clone();
        if request.operation.takes("if-match") {
            stale = stale.with_header("if-match", "\"x\"");
        }
        let item = user.item_for(request.operation);
        count += usize::from(item != Value::Null);
        // No item, a stale version, the item, and once more after it may be gone.
        for (request, item) in
            [(&request, &json!(1)), (&stale, &item), (&request, &item), (&request, &item)]
        {
            user.ask(request, item);
        }
        count += 4;
    }
    // A reused key.
    for resource in resources() {
        let create = resource.create().example();
        user.ask(&create, "").expect(201);
        user.ask(&create.with_text("other"), "").faults();
        count += 2;
    }
    let executed = Executed::of(&user);
    assert_eq!(executed.len(), count, "{executed:#?}");
    // Those of a resource are also in its own tests.
    let executed_names: BTreeSet<_> = executed.iter().map(|statement| statement.name).collect();
    let of_none = statements().iter().filter(|known| {
        !resources().iter().any(|of| of.statements().any(|of| of.name == known.name))
    });
    let unused: Vec<_> = of_none.filter(|of| !executed_names.contains(of.name.as_str())).collect();
    assert!(unused.is_empty(), "no request runs {unused:?}");

    // Nothing else used these connections: no check, no BEGIN or COMMIT. The first call of a
    // statement prepares it for the others.
    let connections: BTreeSet<_> = executed.iter().map(|s| &s.connection).collect();
    let log = database().log();
    for connection in connections {
        let lines = log.lines().filter(|line| line.contains(&format!("[{connection}]")));
        let said = lines.filter(|line| ["LOG:  ", "ERROR:  "].iter().any(|of| line.contains(of)));
        let mut prepared = BTreeSet::new();
        for line in said.filter(|line| !line.contains("LOG:  connection ")) {
            let statement = Executed::read(line);
            assert_eq!(statement.prepared, !prepared.insert(statement.name), "{line}");
        }
    }
}
