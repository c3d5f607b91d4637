//! Arbitrary headers for the property tests.
use lambda_http::http::HeaderValue;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::arbitrary::like;

/// Any header value: half of them of this form, half arbitrary bytes.
pub(crate) fn header(pattern: &str) -> impl Strategy<Value = HeaderValue> {
    let bytes = prop_oneof![like(pattern).prop_map(String::into_bytes), vec(any::<u8>(), 0..30)];
    bytes.prop_map(|mut bytes| {
        let forbidden = |byte: u8| byte != b'\t' && byte.is_ascii_control();
        bytes.iter_mut().filter(|byte| forbidden(**byte)).for_each(|byte| *byte = b' ');
        HeaderValue::from_bytes(&bytes).unwrap()
    })
}
