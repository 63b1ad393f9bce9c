//! The closed list's entry: one vendor call, with its method and the only form of path it can take.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986 is encoded, as both vendors' signers do.
pub const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The methods that reading takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Some vendors read by POST.
    Post,
}

impl Method {
    /// Upper case, as it is sent and signed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// One call of a vendor's API that only reads, so that it may be repeated when its outcome is unknown.
/// The calls of a product are constants in its line of the table, and the transport sends no others:
/// some vendors restart clusters on GET. What starts an upgrade is no `Call`, see [`super::start`].
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// The vendor's name of it: the label `endpoint`.
    pub name: &'static str,
    /// Its method.
    pub method: Method,
    /// Path, with a `{}` for each parameter. A segment may hold text around its parameter:
    /// `/clusters/{}:status`.
    pub path: &'static str,
    /// Action that tells it from other calls of its path; `None` where the path does.
    pub action: Option<Action>,
    /// Addition of a secondary call; `None` for a primary one.
    pub secondary: Option<Secondary>,
}

/// Name of a call in a request, of vendors that have one path for all calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Parameter of a form in the body, as in AWS Query: `Action=DescribeUpdateActions`.
    Form(&'static str, &'static str),
    /// Header, as in AWS JSON (`x-amz-target`) and Tencent Cloud (`x-tc-action`).
    Header(&'static str, &'static str),
}

/// Addition of a secondary call to a product's primary call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Secondary {
    /// Noun phrase for what is missing while the call fails.
    pub tells: &'static str,
    /// Vendor's name of the permission or policy that the call takes.
    pub permission: &'static str,
}

impl Call {
    /// A call that only reads.
    pub const fn read(name: &'static str, method: Method, path: &'static str) -> Self {
        Self {
            name,
            method,
            path,
            action: None,
            secondary: None,
        }
    }

    /// Returns the call with the name that it has in requests of a path that several calls share.
    #[must_use]
    pub const fn named(self, action: Action) -> Self {
        Self {
            action: Some(action),
            ..self
        }
    }

    /// Builds a call that only reads and that a poll can do without.
    pub const fn secondary(
        name: &'static str,
        method: Method,
        path: &'static str,
        secondary: Secondary,
    ) -> Self {
        Self {
            secondary: Some(secondary),
            ..Self::read(name, method, path)
        }
    }

    /// The path with its parameters percent-encoded in.
    ///
    /// # Panics
    /// In debug builds, when the number of parameters is not that of the holes: a bug, not an input.
    pub fn path_with(&self, params: &[&str]) -> String {
        let mut path = String::with_capacity(self.path.len() + 64);
        let mut params = params.iter();
        let mut parts = self.path.split("{}").peekable();
        while let Some(part) = parts.next() {
            path.push_str(part);
            if parts.peek().is_some() {
                let param = params.next();
                debug_assert!(
                    param.is_some(),
                    "{}: a path parameter is missing",
                    self.name
                );
                path.push_str(&segment(param.unwrap_or(&"")));
            }
        }
        debug_assert!(
            params.next().is_none(),
            "{}: too many path parameters",
            self.name
        );
        path
    }
}

/// A parameter as a segment of a path. `.` and `..` would change the path, encoded or not, and nothing
/// would join two slashes: an id like that, which no vendor gives, becomes one that nobody has.
pub fn segment(param: &str) -> String {
    let param = match param {
        "" | "." | ".." => "_",
        other => other,
    };
    utf8_percent_encode(param, UNRESERVED).to_string()
}

/// A query string of these pairs, percent-encoded; empty without pairs.
pub fn query(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        out.extend(utf8_percent_encode(name, UNRESERVED));
        out.push('=');
        out.extend(utf8_percent_encode(value, UNRESERVED));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Call = Call::read("ListNodes", Method::Get, "/api/{}/nodes/{}");

    #[test]
    fn parameters_cannot_leave_their_segment() {
        assert_eq!(CALL.path_with(&["a", "../b?c"]), "/api/a/nodes/..%2Fb%3Fc");
        assert_eq!(CALL.path_with(&["..", ""]), "/api/_/nodes/_");
    }

    #[test]
    fn query_is_encoded() {
        assert_eq!(
            query(&[("a b", "&=한"), ("c", "")]),
            "a%20b=%26%3D%ED%95%9C&c="
        );
        assert_eq!(query(&[]), "");
    }
}
