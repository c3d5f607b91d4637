//! What a client sees when the database fails, and what the log says.
use tests::{Fixture, Token, User, database, requests};

#[test]
fn a_database_that_is_not_there_is_503_and_the_reason_is_in_the_log_alone() {
    let stack = Fixture::gateway(&[("DATABASE_URL", "postgres://user:MARKED@127.0.0.1:1/tasks")]);
    let user = User::of(&stack);
    for request in requests() {
        let reply = user.ask(&request.with_text("MARKED"), 1);
        let problem = reply.expect_problem(503, "database_unavailable").to_string();
        assert_eq!(reply.header("retry-after"), "1");
        assert!(!problem.contains("refused") && !problem.contains("127.0.0.1"), "{problem}");
    }
    // Without authorization, the failure is not revealed.
    let nobody = user.with_token(&Token::of(&user.id).secret("another"));
    nobody.read().expect_problem(401, "invalid_token");

    let log = stack.log();
    assert!(log.contains("Connection refused"), "{log}");
    let token = Token::of(&user.id).sign();
    for secret in ["MARKED", tests::SECRET, token.rsplit_once('.').unwrap().1, &user.id] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn a_server_with_an_unknown_certificate_is_not_talked_to() {
    let (base, _) = database().functions_url.split_once('?').unwrap();
    for mode in ["require", "verify-full"] {
        let stack = Fixture::gateway(&[("DATABASE_URL", &format!("{base}?sslmode={mode}"))]);
        User::of(&stack).read().expect_problem(503, "database_unavailable");
        let log = stack.log();
        assert!(log.contains("certificate"), "{log}");
    }
}
