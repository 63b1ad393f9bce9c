//! Logins: basic authentication against bcrypt hashes.
//!
//! A hash costs tenths of a second on purpose, so results are remembered, few hashes are computed at
//! a time and off the threads that answer, and few logins may wait for that.

mod credentials;
mod queue;
mod refusals;
mod results;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use hyper::header::{AUTHORIZATION, HeaderMap};
use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;
use tokio_rustls::rustls::crypto::aws_lc_rs;

use super::config::{PasswordHash, Users};
use crate::metrics::{LoginRefusal, Metrics};
use credentials::Credentials;
use queue::{LaneName, Login, Queue};
use refusals::Refusals;
use results::{Flight, Flights, Mark, Results};

/// Result of a check of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Welcome,
    /// The request has no `Authorization` header.
    NoCredentials,
    Refused(LoginRefusal),
}

/// Checks logins and remembers the results.
pub(super) struct Logins {
    /// Key of this process alone, so that what is remembered tells nothing, and no client can choose
    /// where it lies; `None` when the system has no randomness, and then nothing is remembered.
    key: Option<[u8; 32]>,
    results: Arc<Mutex<Results>>,
    flights: Flights,
    queue: Queue,
    refusals: Refusals,
    #[cfg(test)]
    probe: tests::Probe,
}

impl Default for Logins {
    fn default() -> Self {
        let mut key = [0; 32];
        let random = aws_lc_rs::default_provider().secure_random;
        Self {
            key: random.fill(&mut key).is_ok().then_some(key),
            results: Arc::default(),
            flights: Flights::default(),
            queue: Queue::default(),
            refusals: Refusals::default(),
            #[cfg(test)]
            probe: tests::Probe::default(),
        }
    }
}

impl Logins {
    /// Checks the login of a request from the client at `address`. Without users every request is
    /// welcome.
    pub(super) async fn check(
        &self,
        users: &Users,
        headers: &HeaderMap,
        address: IpAddr,
    ) -> Verdict {
        let Some(decoy) = users.decoy() else {
            return Verdict::Welcome;
        };
        if !headers.contains_key(AUTHORIZATION) {
            return Verdict::NoCredentials;
        }
        let refused = Verdict::Refused(LoginRefusal::Credentials);
        let Some(Credentials { user, password }) = Credentials::read(headers) else {
            return refused;
        };
        let own = users.hash(&user);
        let hash = own.unwrap_or(decoy);
        let lane = if hash.cost == decoy.cost {
            LaneName::Shared
        } else {
            LaneName::User(user.clone())
        };
        let client = address.into();
        match self
            .fits(lane, Login { user, client }, hash, password)
            .await
        {
            Ok(true) if own.is_some() => Verdict::Welcome,
            Ok(_) => refused,
            Err(refusal) => Verdict::Refused(refusal),
        }
    }

    /// Counts a login that was refused, and logs it, seldom.
    pub(super) fn count_refusal(&self, refusal: LoginRefusal, address: IpAddr, metrics: &Metrics) {
        metrics.login_refused(refusal);
        self.refusals.log(refusal, address, metrics.prefix());
    }

    /// Compares a password with a hash. Requests with the same login wait for one result.
    ///
    /// # Errors
    ///
    /// Too many logins wait.
    async fn fits(
        &self,
        lane: LaneName,
        login: Login,
        hash: &PasswordHash,
        password: SecretSlice<u8>,
    ) -> Result<bool, LoginRefusal> {
        let Some(mark) = self.mark(&[
            &login.user,
            hash.text.expose_secret().as_bytes(),
            password.expose_secret(),
        ]) else {
            return self.compute(lane, login, hash, password, None).await;
        };
        if let Some(known) = self.recall(Some(mark)) {
            return Ok(known);
        }
        let flight = Flight::join(&self.flights, mark);
        let compute = || self.compute(lane, login, hash, password, Some(mark));
        flight.result.get_or_try_init(compute).await.copied()
    }

    async fn compute(
        &self,
        lane: LaneName,
        login: Login,
        hash: &PasswordHash,
        password: SecretSlice<u8>,
        mark: Option<Mark>,
    ) -> Result<bool, LoginRefusal> {
        let place = self.queue.turn(lane, login).await?;
        // A request that is gone may have left the result.
        if let Some(known) = self.recall(mark) {
            return Ok(known);
        }
        let (hash, results) = (hash.clone(), self.results.clone());
        #[cfg(test)]
        let probe = self.probe.clone();
        // A client that resets its stream drops this future, and the hash goes on: it keeps its
        // place until it ends, and the result is remembered.
        let computed = tokio::task::spawn_blocking(move || {
            #[cfg(test)]
            probe.computes(&hash);
            let fits = bcrypt::verify(password.expose_secret(), hash.text.expose_secret())
                .unwrap_or(false);
            if let Some(mark) = mark {
                results.lock().insert(mark, fits);
            }
            drop(place);
            fits
        });
        Ok(computed.await.unwrap_or(false))
    }

    fn recall(&self, mark: Option<Mark>) -> Option<bool> {
        self.results.lock().get(&mark?)
    }

    fn mark(&self, parts: &[&[u8]]) -> Option<Mark> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.key?).ok()?;
        for part in parts {
            // With its length, so that no two lists of parts look the same.
            mac.update(&u64::try_from(part.len()).ok()?.to_be_bytes());
            mac.update(part);
        }
        Some(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for Logins {
    /// Without its key and what it remembers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logins").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
