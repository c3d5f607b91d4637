//! The bearer token of a request (RFC 6750).
use lambda_http::http::{HeaderMap, header};

use super::problem::Problem;

/// The token of an `Authorization: Bearer` header.
pub(super) fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let malformed = || Problem::InvalidToken("The Authorization header is malformed.".into());
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(Problem::MissingToken)?;
    if values.next().is_some() {
        return Err(malformed());
    }
    let value = value.to_str().map_err(|_| malformed())?.trim();
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("Bearer") || token.is_empty() {
        return Err(Problem::MissingToken);
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::arbitrary::header;
    use lambda_http::http::HeaderValue;
    use proptest::prelude::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|v| (header::AUTHORIZATION, HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn the_authorization_header_is_read_as_rfc_6750_writes_it() {
        for good in ["Bearer a.b.c", "bearer a.b.c", "bEARER  a.b.c ", "BEARER a.b.c\t"] {
            assert_eq!(bearer(&headers(&[good])).unwrap(), "a.b.c");
        }
        // The verifier judges everything after the scheme.
        for whole in ["a.b.c a.b.c", "a.b.c, Bearer a.b.c", "Bearer a.b.c", "token=\"a.b.c\"", ","]
        {
            let value = HeaderValue::try_from(format!("Bearer {whole}")).unwrap();
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
            assert_eq!(bearer(&headers).unwrap(), whole);
        }
        for missing in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer \t",
            "a.b.c",
            "Bearer\ta.b.c",
            "Bearer:a.b.c",
            "Bearer=a.b.c",
            "Bearera.b.c",
            "Bearer: a.b.c",
            "Bearer, a.b.c",
            "Token a.b.c",
            "JWT a.b.c",
            "DPoP a.b.c",
            "Basic dTpw",
            "Basic dTpw, Bearer a.b.c",
            ",",
            "\t",
        ] {
            assert_eq!(
                bearer(&headers(&[missing])).unwrap_err().code(),
                "missing_token",
                "{missing:?}"
            );
        }
        assert_eq!(bearer(&headers(&[])).unwrap_err().code(), "missing_token");
        for two in [["Bearer a.b.c", "Bearer a.b.c"], ["Basic dTpw", "Bearer a.b.c"]] {
            assert_eq!(bearer(&headers(&two)).unwrap_err().code(), "invalid_token", "{two:?}");
        }
    }

    proptest! {
        #[test]
        fn a_bearer_token_is_what_comes_after_the_scheme(
            values in prop::collection::vec(
                header("[Bb]earer[ \t]{0,2}[!-~]{0,9}[ ,]?[!-~]{0,9} ?"),
                0..3,
            ),
        ) {
            let headers: HeaderMap =
                values.iter().map(|value| (header::AUTHORIZATION, value.clone())).collect();
            match bearer(&headers) {
                Ok(token) => {
                    prop_assert_eq!(values.len(), 1);
                    let value = values[0].to_str().unwrap();
                    prop_assert!(value.trim()[..7].eq_ignore_ascii_case("bearer "), "{}", value);
                    prop_assert_eq!(value.trim()[7..].trim(), token);
                    prop_assert!(!token.is_empty());
                }
                Err(problem) => prop_assert!(problem.code().ends_with("_token")),
            }
        }
    }
}
