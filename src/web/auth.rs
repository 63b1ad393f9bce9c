//! Logins: basic authentication against bcrypt hashes.
//!
//! A hash costs tenths of a second on purpose, so results are remembered, one hash is computed at a
//! time and off the threads that answer, and few may wait for that.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use hyper::header::{AUTHORIZATION, HeaderMap};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::Sha256;
use tokio::sync::Semaphore;
use tokio_rustls::rustls::crypto::aws_lc_rs;

use super::config::Users;

/// Results of each kind that are remembered.
const REMEMBERED: usize = 100;
/// Requests that wait for their hash.
const MOST_WAITING: usize = 64;

/// What a request's credentials are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Welcome,
    /// None, or wrong ones.
    Refused,
    /// Too many hashes have to be computed already.
    Busy,
}

/// Checks logins and remembers the results.
pub(super) struct Logins {
    /// Of this process alone, so that what is remembered tells nothing, and nobody can choose where
    /// it lies.
    key: Option<[u8; 32]>,
    remembered: Arc<Mutex<Remembered>>,
    turn: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    computed: Arc<AtomicU64>,
    /// Called while a hash is computed.
    #[cfg(test)]
    computing: Option<Arc<dyn Fn() + Send + Sync>>,
}

/// A keyed hash of user, hash and password: comparing it in any time tells nothing of these.
type Mark = [u8; 32];

/// Bad results have a place of their own: whoever guesses cannot push a good one out.
#[derive(Default)]
struct Remembered {
    good: Recent,
    bad: Recent,
}

impl Remembered {
    fn insert(&mut self, mark: Mark, fits: bool) {
        let recent = if fits { &mut self.good } else { &mut self.bad };
        recent.insert(mark);
    }
}

fn locked(remembered: &Mutex<Remembered>) -> MutexGuard<'_, Remembered> {
    remembered.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
struct Recent {
    known: HashSet<Mark>,
    order: VecDeque<Mark>,
}

impl Recent {
    fn insert(&mut self, mark: Mark) {
        if !self.known.insert(mark) {
            return;
        }
        self.order.push_back(mark);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

impl Default for Logins {
    fn default() -> Self {
        let mut key = [0; 32];
        let random = aws_lc_rs::default_provider().secure_random;
        Self {
            // Without a key nothing is remembered.
            key: random.fill(&mut key).is_ok().then_some(key),
            remembered: Arc::default(),
            turn: Arc::new(Semaphore::new(1)),
            waiting: Arc::default(),
            computed: Arc::default(),
            #[cfg(test)]
            computing: None,
        }
    }
}

impl Logins {
    /// Whether a request with these headers may come in. Nobody needs to log in without users.
    pub(super) async fn check(&self, users: &Users, headers: &HeaderMap) -> Verdict {
        if users.is_empty() {
            return Verdict::Welcome;
        }
        let Some((user, password)) = credentials(headers) else {
            return Verdict::Refused;
        };
        let own = users.hash(&user);
        // A stranger is compared with somebody's hash, always the same one's: it takes the same time
        // as a user does, and what comes out of it is not used.
        let Some(hash) = own.or_else(|| users.any_hash(self.number(&user))) else {
            return Verdict::Refused;
        };
        let fits = self.fits(&user, hash, password).await;
        match fits {
            Some(true) if own.is_some() => Verdict::Welcome,
            Some(_) => Verdict::Refused,
            None => Verdict::Busy,
        }
    }

    /// Hashes computed so far.
    #[cfg(test)]
    pub(super) fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    /// Whether the password has this hash; none when there are too many to be computed.
    async fn fits(
        &self,
        user: &[u8],
        hash: &SecretString,
        password: SecretSlice<u8>,
    ) -> Option<bool> {
        let mark = self.mark(&[
            user,
            hash.expose_secret().as_bytes(),
            password.expose_secret(),
        ]);
        if let Some(known) = self.recall(mark) {
            return Some(known);
        }
        let place = Place::take(&self.waiting)?;
        let turn = self.turn.clone().acquire_owned().await.ok()?;
        // Whoever had the turn before may have asked the same.
        if let Some(known) = self.recall(mark) {
            return Some(known);
        }
        self.computed.fetch_add(1, Ordering::Relaxed);
        let (hash, remembered) = (hash.clone(), self.remembered.clone());
        #[cfg(test)]
        let computing = self.computing.clone();
        // A client that resets its stream drops this future, and the hash goes on: it keeps its turn
        // and its place until it ends, and what came out is remembered all the same.
        let computed = tokio::task::spawn_blocking(move || {
            #[cfg(test)]
            if let Some(computing) = computing {
                computing();
            }
            let fits =
                bcrypt::verify(password.expose_secret(), hash.expose_secret()).unwrap_or(false);
            if let Some(mark) = mark {
                locked(&remembered).insert(mark, fits);
            }
            drop((turn, place));
            fits
        });
        Some(computed.await.unwrap_or(false))
    }

    fn recall(&self, mark: Option<Mark>) -> Option<bool> {
        let mark = mark?;
        let remembered = locked(&self.remembered);
        if remembered.good.known.contains(&mark) {
            return Some(true);
        }
        remembered.bad.known.contains(&mark).then_some(false)
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

    /// A number that hangs on the user's name alone.
    fn number(&self, user: &[u8]) -> u64 {
        let mark = self.mark(&[user]).unwrap_or_default();
        mark.iter()
            .take(8)
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

impl fmt::Debug for Logins {
    /// Without its key and what it remembers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logins").finish_non_exhaustive()
    }
}

/// A place among those who wait.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(waiting: &Arc<AtomicUsize>) -> Option<Self> {
        let place = Self(waiting.clone());
        // The one that is computed does not wait.
        (waiting.fetch_add(1, Ordering::Relaxed) <= MOST_WAITING).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// User and password of basic authentication (RFC 7617).
fn credentials(headers: &HeaderMap) -> Option<(Vec<u8>, SecretSlice<u8>)> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, coded) = value.split_at_checked("Basic ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") {
        return None;
    }
    let pair = SecretSlice::from(STANDARD.decode(coded).ok()?);
    let colon = pair.expose_secret().iter().position(|b| *b == b':')?;
    let (user, password) = pair.expose_secret().split_at_checked(colon)?;
    let password = password.get(1..).unwrap_or_default().to_vec();
    Some((user.to_vec(), SecretSlice::from(password)))
}

#[cfg(test)]
mod tests;
