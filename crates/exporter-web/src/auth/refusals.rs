//! Log lines about refused logins.

use std::net::IpAddr;

use crate::log_limit::LogLimit;
use crate::metrics::LoginRefusal;

/// Logs refused logins, each reason at most once an hour.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    credentials: LogLimit,
    busy: LogLimit,
    share: LogLimit,
}

impl Refusals {
    /// Logs a refusal. `prefix` begins the names of the metrics.
    pub(super) fn log(&self, refusal: LoginRefusal, address: IpAddr, prefix: &str) {
        match refusal {
            LoginRefusal::Credentials if self.credentials.is_due() => tracing::warn!(
                %address,
                "A login was refused: its user or password is wrong. The metric \
                 {prefix}_web_logins_refused_total counts all; the next line \
                 comes in an hour at the earliest."
            ),
            LoginRefusal::Busy if self.busy.is_due() => tracing::warn!(
                %address,
                "A login was refused for want of room: too many logins wait for their hash. \
                 Let only those reach the port who need to. The next line comes in an hour at \
                 the earliest."
            ),
            LoginRefusal::Share if self.share.is_due() => tracing::warn!(
                %address,
                "A login was refused for want of room: too many logins of its address wait for \
                 their hash. If this is a proxy, name it in --web.trusted-proxies. The next line \
                 comes in an hour at the earliest."
            ),
            _ => {}
        }
    }
}
