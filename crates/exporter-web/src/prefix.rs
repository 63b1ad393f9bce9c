//! Addresses of the exporter from outside: `--web.external-url` and `--web.route-prefix`, with the
//! meaning that they have in Prometheus.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// Path below which everything is served; the root by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoutePrefix {
    /// Empty for the root, else with a slash at its beginning and none at its end.
    path: String,
}

/// Place of a request's path.
#[derive(Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// Path below the prefix, with a slash at its beginning.
    Inside(&'a str),
    /// The root or the prefix itself; holds the relative address of the page.
    Redirect(String),
    /// Path outside the prefix.
    Outside,
}

impl RoutePrefix {
    /// Returns what is put before each path: nothing, or for instance `/exporter`.
    pub fn as_str(&self) -> &str {
        &self.path
    }

    /// Takes the prefix off a path.
    ///
    /// The root leads to the page, as in Prometheus. The address of the page is relative to the
    /// request, so that it holds behind a proxy that adds or takes a part of the path.
    pub fn place<'a>(&self, path: &'a str) -> Place<'a> {
        let outer = self.path.trim_start_matches('/');
        match path.strip_prefix(self.path.as_str()) {
            Some(rest) if rest.starts_with('/') => Place::Inside(rest),
            Some("") => {
                let (_, last) = self.path.rsplit_once('/').unwrap_or_default();
                Place::Redirect(format!("{last}/"))
            }
            _ if path == "/" => Place::Redirect(format!("{outer}/")),
            _ => Place::Outside,
        }
    }
}

impl FromStr for RoutePrefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = text.trim_matches('/');
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
        let segment = |s: &str| !s.is_empty() && s != "." && s != "..";
        if !path.bytes().all(plain) || !(path.is_empty() || path.split('/').all(segment)) {
            return Err("a path is / and letters, digits, / - . _ ~".to_owned());
        }
        let slash = if path.is_empty() { "" } else { "/" };
        Ok(Self {
            path: format!("{slash}{path}"),
        })
    }
}

/// Address under which people reach the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalUrl {
    /// Address, whose path ends with a slash.
    url: Url,
}

impl ExternalUrl {
    /// Returns the path of the URL, which is the default of the route prefix.
    ///
    /// # Errors
    ///
    /// The path has characters that no route has.
    pub fn route_prefix(&self) -> Result<RoutePrefix, String> {
        self.url.path().parse()
    }

    /// Returns its scheme, host and port.
    pub(super) fn origin(&self) -> url::Origin {
        self.url.origin()
    }

    /// Returns the address of the page with a filter.
    pub fn page(&self, filter: &[(&str, &str)]) -> Url {
        let mut url = self.url.clone();
        if !filter.is_empty() {
            url.query_pairs_mut().extend_pairs(filter);
        }
        url
    }
}

impl fmt::Display for ExternalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl FromStr for ExternalUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut url = Url::parse(text).map_err(|error| error.to_string())?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err("not an address with http or https".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a user or password is not part of it".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("neither ? nor # is part of it".to_owned());
        }
        let path = format!("{}/", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(Self { url })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> RoutePrefix {
        text.parse().unwrap()
    }

    #[test]
    fn without_a_prefix_every_path_is_its_own() {
        for text in ["", "/", "//"] {
            let prefix = prefix(text);
            assert_eq!(prefix.as_str(), "", "{text}");
            for path in ["/", "/metrics", "/-/ready", "/a/b"] {
                assert_eq!(prefix.place(path), Place::Inside(path));
            }
            // What `OPTIONS *` asks for.
            assert_eq!(prefix.place("*"), Place::Outside);
        }
    }

    #[test]
    fn a_prefix_is_taken_off() {
        for text in ["a/b", "/a/b", "/a/b/"] {
            let prefix = prefix(text);
            assert_eq!(prefix.as_str(), "/a/b", "{text}");
            assert_eq!(prefix.place("/a/b/"), Place::Inside("/"));
            assert_eq!(prefix.place("/a/b/metrics"), Place::Inside("/metrics"));
            for outside in ["/metrics", "/a", "/a/", "/a/bc", "/-/healthy", "/a/b%2F"] {
                assert_eq!(prefix.place(outside), Place::Outside, "{outside}");
            }
        }
    }

    #[test]
    fn the_root_leads_to_the_page_wherever_the_proxy_has_it() {
        let base = Url::parse("https://example.com/").unwrap();
        for (text, path) in [("/a/b", "/"), ("/a/b", "/a/b"), ("/a", "/"), ("/a", "/a")] {
            let prefix = prefix(text);
            let Place::Redirect(location) = prefix.place(path) else {
                panic!("{path} leads nowhere in {text}");
            };
            let to = base.join(path).unwrap().join(&location).unwrap();
            assert_eq!(to.path(), format!("{text}/"), "{text}, {path}: {location}");
        }
    }

    #[test]
    fn a_prefix_that_no_route_can_have_is_refused() {
        for text in ["/a b", "/a?b", "/a//b", "/../b", "/./b", "/é", "/a%20b"] {
            let error = text.parse::<RoutePrefix>().unwrap_err();
            assert!(
                error.starts_with("a path is / and letters"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn the_external_url_gives_the_prefix_and_the_page() {
        for (text, prefix, page) in [
            ("https://x.example", "", "https://x.example/"),
            ("https://x.example/a/b", "/a/b", "https://x.example/a/b/"),
            (
                "http://x.example:8080/a//",
                "/a",
                "http://x.example:8080/a/",
            ),
        ] {
            let url: ExternalUrl = text.parse().unwrap();
            assert_eq!(url.route_prefix().unwrap().as_str(), prefix);
            assert_eq!(url.to_string(), page);
            let filter = [("account", "a b"), ("q", "x&y")];
            assert_eq!(
                url.page(&filter).as_str(),
                format!("{page}?account=a+b&q=x%26y")
            );
            assert_eq!(url.page(&[]).as_str(), page);
        }
    }

    #[test]
    fn an_address_that_cannot_be_followed_is_refused() {
        for text in [
            "",
            "/exporter",
            "x.example/exporter",
            "ftp://x.example",
            "https://u:p@x.example",
            "https://u@x.example",
            "https://x.example/?a",
            "https://x.example/#a",
        ] {
            assert!(text.parse::<ExternalUrl>().is_err(), "{text}");
        }
    }
}
