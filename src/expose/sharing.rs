//! One body for many scrapes at the same time, where a body takes long to render.
//!
//! A body of tens of megabytes takes tens of milliseconds and as much memory. Clients that ask all the
//! time, or do not read, would take all of both. Such a body is shared while some client still reads
//! it, the clusters have not changed, and it is not older than a few times what it took to render.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::negotiate::Format;
use super::page::Page;

/// Time of rendering from which a body is shared.
const COSTLY: Duration = Duration::from_millis(5);

/// Age up to which a body is shared, in times of its rendering.
const AGE: u32 = 10;

/// Form of a body: its format, and whether it is compressed.
type Form = (Format, bool);

/// Bodies that may be shared, at most one of each form.
#[derive(Debug, Default)]
pub(super) struct Sharing(Mutex<Vec<Shared>>);

#[derive(Debug)]
struct Shared {
    form: Form,
    /// Page that it shows; not held, so that an old page can go.
    page: Weak<Page>,
    rendered: Instant,
    cost: Duration,
    /// Held by the answers alone, so that no memory is used for a body that no client reads.
    body: Weak<Vec<Bytes>>,
}

/// Piece of a body that its answers hold together.
struct Owner(Arc<Vec<Bytes>>, usize);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.0[self.1]
    }
}

/// Returns the pieces of a body, each of which holds the whole.
fn hold(body: &Arc<Vec<Bytes>>) -> Vec<Bytes> {
    let owners = (0..body.len()).map(|place| Owner(body.clone(), place));
    owners.map(Bytes::from_owner).collect()
}

impl Sharing {
    /// Returns the body of a page in this form: one that is shared, or a new one.
    pub(super) fn body(
        &self,
        page: &Arc<Page>,
        form: Form,
        render: impl FnOnce() -> Vec<Bytes>,
    ) -> Vec<Bytes> {
        let begun = Instant::now();
        if let Some(body) = self.find(page, form, begun) {
            return hold(&body);
        }
        self.keep(page, form, render(), begun)
    }

    /// Keeps a body that was rendered since `begun` for others, if that took long.
    fn keep(&self, page: &Arc<Page>, form: Form, body: Vec<Bytes>, begun: Instant) -> Vec<Bytes> {
        let rendered = Instant::now();
        let cost = rendered.saturating_duration_since(begun);
        if cost < COSTLY {
            return body;
        }
        let body = Arc::new(body);
        let mut known = self.0.lock();
        known.retain(|shared| shared.form != form && shared.body.strong_count() > 0);
        known.push(Shared {
            form,
            page: Arc::downgrade(page),
            rendered,
            cost,
            body: Arc::downgrade(&body),
        });
        hold(&body)
    }

    fn find(&self, page: &Arc<Page>, form: Form, now: Instant) -> Option<Arc<Vec<Bytes>>> {
        let known = self.0.lock();
        let shared = known.iter().find(|shared| shared.form == form)?;
        let age = now.saturating_duration_since(shared.rendered);
        let shows_it = std::ptr::eq(shared.page.as_ptr(), Arc::as_ptr(page));
        let is_current = shows_it && age <= shared.cost * AGE;
        shared.body.upgrade().filter(|_| is_current)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const FORM: Form = (Format::Text, false);

    /// Asks for a body whose rendering takes so long, and tells whether it was rendered.
    async fn is_rendered(
        sharing: &Sharing,
        page: &Arc<Page>,
        form: Form,
        cost: Duration,
    ) -> (bool, Vec<Bytes>) {
        // Time stands still while a closure runs, so that it moves between the two steps.
        if let Some(body) = sharing.find(page, form, Instant::now()) {
            return (false, hold(&body));
        }
        let begun = Instant::now();
        advance(cost).await;
        (
            true,
            sharing.keep(page, form, vec![Bytes::from_static(b"0123456789")], begun),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_costly_body_is_shared_for_a_while() {
        let sharing = Sharing::default();
        let page = Arc::new(Page::default());
        let ask = async |page: &Arc<Page>, form| is_rendered(&sharing, page, form, COSTLY).await;
        let (_, first) = ask(&page, FORM).await;
        let (is_new, second) = ask(&page, FORM).await;
        assert!(!is_new);
        assert_eq!(first[0].as_ptr(), second[0].as_ptr());
        // Another form, another page, another time.
        assert!(ask(&page, (Format::Text, true)).await.0);
        assert!(ask(&Arc::new(Page::default()), FORM).await.0);
        let (is_new, kept) = ask(&page, FORM).await;
        assert!(is_new);
        advance(COSTLY * AGE).await;
        assert!(!ask(&page, FORM).await.0);
        advance(Duration::from_millis(1)).await;
        assert!(ask(&page, FORM).await.0);
        drop((first, second, kept));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_kept_for_no_client_nor_shared_where_it_is_cheap() {
        let sharing = Sharing::default();
        let page = Arc::new(Page::default());
        drop(is_rendered(&sharing, &page, FORM, COSTLY).await);
        assert!(is_rendered(&sharing, &page, FORM, COSTLY).await.0);
        assert_eq!(Arc::strong_count(&page), 1, "an old page can go");
        let sharing = Sharing::default();
        let cheap = COSTLY / 2;
        let held = is_rendered(&sharing, &page, FORM, cheap).await;
        assert!(held.0 && is_rendered(&sharing, &page, FORM, cheap).await.0);
    }
}
