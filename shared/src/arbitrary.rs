//! Arbitrary client input for the property tests. No strategy filters its values: proptest allows
//! only about a thousand rejections in a million cases.
use proptest::collection::{hash_map, vec};
use proptest::prelude::*;
use proptest::string::string_regex;
use serde_json::{Map, Value};

/// Text that matches a pattern, compiled once; a bare pattern would be compiled again for each
/// case.
pub(crate) fn like(pattern: &str) -> impl Strategy<Value = String> {
    string_regex(pattern).unwrap()
}

/// Any text: mostly short, sometimes blank, with U+0000, or too long for a title.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => like("\\PC{0,12}"),
        2 => like("[ \t\n\u{3000}]{0,3}"),
        1 => like("\\PC{195,205}"),
        1 => Just("\0".into()),
    ]
}

/// Any JSON value of limited depth, often with the API's member names.
pub(crate) fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            members(inner).prop_map(Value::Object),
        ]
    })
}

/// Any JSON object.
pub(crate) fn object() -> impl Strategy<Value = Map<String, Value>> {
    members(json())
}

fn members(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let known =
        like("title|description|completed|done|id|user_id|alg|crit|sub|exp|iat|nbf|iss|aud");
    let name = prop_oneof![4 => known, 1 => text()];
    hash_map(name, value, 0..6).prop_map(|members| members.into_iter().collect())
}
