//! Host names to addresses, by the system's resolver, with an error that can be told from others.

use std::io;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The system's resolver.
#[derive(Debug)]
pub(super) struct System;

/// A name that has no address, or nobody to ask for it.
#[derive(Debug, thiserror::Error)]
#[error("cannot look up {name}")]
pub(super) struct LookupFailed {
    name: String,
    #[source]
    why: io::Error,
}

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        Box::pin(async move {
            // The client puts the port in.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found = found.map(Iterator::collect::<Vec<_>>);
            match found {
                Ok(found) => Ok(Box::new(found.into_iter()) as Addrs),
                Err(why) => Err(LookupFailed { name, why }.into()),
            }
        })
    }
}
