//! The closed list: the poll path may call what the tables name, all of which only reads, and nothing
//! else. Some vendors restart clusters on GET, and start an upgrade beside the path that tells of it.

use super::Request;
use crate::cloud::{CLOUDS, Call, PRODUCTS};
use crate::http::{ApiError, Reason};

/// Segments that may stand before a call's own path: the vendor's prefix of version and region.
const PREFIX: usize = 2;

/// All that the server may call.
pub(super) fn calls() -> impl Iterator<Item = &'static Call> {
    let clouds = CLOUDS.iter().flat_map(|cloud| cloud.calls);
    let products = PRODUCTS.iter().flat_map(|product| product.calls);
    clouds.chain(products).copied()
}

/// Passes a request that is one of these calls, by its method and by the path that it really has.
pub(super) fn check(calls: &[&'static Call], request: &Request<'_>) -> Result<(), ApiError> {
    let message = request.message();
    let is_listed = calls
        .iter()
        .any(|call| call.method == message.method && fits(call.path, message.path));
    if is_listed {
        return Ok(());
    }
    let what = format!(
        "{} {} is not one of the calls that only read, so it was not sent: this is a fault of this program",
        message.method.as_str(),
        message.path
    );
    Err(ApiError::new(Reason::Protocol, what).of(request.call.name))
}

/// Whether a path is this one behind a prefix, with one segment for each hole.
fn fits(template: &str, path: &str) -> bool {
    let wanted: Vec<&str> = template.split('/').skip(1).collect();
    let given: Vec<&str> = path.split('/').skip(1).collect();
    let Some(before) = given.len().checked_sub(wanted.len()) else {
        return false;
    };
    let same = |(wanted, given): (&&str, &&str)| match *wanted {
        "{}" => !given.is_empty(),
        word => word == *given,
    };
    (before == 0 || before == PREFIX) && wanted.iter().zip(given.iter().skip(before)).all(same)
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::cloud::Method;

    fn checked(method: Method, path: &str) -> Result<(), ApiError> {
        // Whoever sends it calls it a read.
        let call: &'static Call = Box::leak(Box::new(Call::read("Read", method, "/read")));
        let base = Url::parse("https://vendor.invalid").unwrap();
        let request = Request {
            product: "cdss",
            call,
            base: &base,
            path: path.to_owned(),
            query: String::new(),
            headers: Vec::new(),
            body: None,
            effort: super::super::Effort::Normal,
        };
        check(&calls().collect::<Vec<_>>(), &request)
    }

    #[test]
    fn what_changes_a_cluster_is_not_sent() {
        use Method::{Get, Post};
        for (method, path) in [
            (Post, "/api/v1/cluster/rollingUpgrade"),
            (Post, "/api/sgn-v1/cluster/rollingUpgrade"),
            (Post, "/api/v2/cluster/rollingUpgradeCluster"),
            (Post, "/api/v1/cluster/rollingRestart"),
            (Get, "/api/v1/cluster/restartAllServices/1"),
            (Get, "/api/v2/cluster/restartSearchEngineCluster/1"),
            (Post, "/api/v3/projects/p/clusters/c/operation/upgrade"),
            (
                Post,
                "/api/v3/projects/p/clusters/c/operation/upgrade/tasks",
            ),
            (Post, "/api/v3/projects/p/clusters"),
            (Post, "/v1.0/p/clusters"),
            (Post, "/v1.0/p/clusters/c/inst-type/all/image/upgrade"),
            (Get, "/v1.0/p/clusters/c/restart/../upgrade/detail"),
            (Get, "/v1.0//clusters"),
            (Get, "/a/b/c/v1.0/p/clusters"),
            (Get, "/clusters"),
            (Get, ""),
        ] {
            let error = checked(method, path).expect_err(path);
            assert!(error.message.contains("was not sent"), "{error}");
        }
    }

    #[test]
    fn what_only_reads_is_sent() {
        use Method::{Get, Post};
        for (method, path) in [
            (Post, "/api/v1/cluster/rollingUpgradeProgressCheck"),
            (Post, "/api/jpn-v2/cluster/getRollingUpgradeProgress"),
            (Get, "/api/v2/cluster/getClusterNodeList/17"),
            (Post, "/v3/auth/tokens"),
            (Get, "/v1.0/p/clusters"),
            (
                Get,
                "/api/v3/projects/p/clusters/a%2Fb/operation/upgrade/tasks",
            ),
        ] {
            assert_eq!(checked(method, path), Ok(()), "{path}");
        }
    }

    #[test]
    fn every_listed_call_passes() {
        for call in calls() {
            let path = call.path.replace("{}", "x");
            assert_eq!(checked(call.method, &path), Ok(()));
        }
    }
}
