//! Sockets that systemd opened and hands over (`--web.systemd-socket`).

use std::io;
use std::net::{self, TcpStream};
use std::os::fd::OwnedFd;

use listenfd::ListenFd;
use tokio::net::TcpListener;

/// Reason why the sockets of systemd cannot be used; some with the port that their remedy names.
#[derive(Debug, thiserror::Error)]
pub enum SystemdError {
    /// No socket.
    #[error(
        "--web.systemd-socket: systemd handed no socket over; let a .socket unit start the program, \
         or name an address with --web.listen-address"
    )]
    None,
    /// Unix socket.
    #[error(
        "--web.systemd-socket: socket {0} is a unix socket, and TCP is needed; write for instance \
         ListenStream={1} in the .socket unit"
    )]
    Unix(usize, u16),
    /// Socket of another kind.
    #[error(
        "--web.systemd-socket: socket {0} is no TCP socket; write for instance ListenStream={1} in \
         the .socket unit"
    )]
    NotTcp(usize, u16),
    /// Connection instead of a listening socket.
    #[error(
        "--web.systemd-socket: socket {0} is a connection; write Accept=no in the .socket unit"
    )]
    Connection(usize),
    /// Refusal of the system.
    #[error("--web.systemd-socket: cannot use socket {0}")]
    Io(usize, #[source] io::Error),
}

/// Takes all sockets; once a process. A socket that is not TCP is an error, so that none is left out
/// in silence. The remedies of errors name `example`, the exporter's own port.
pub fn take(example: u16) -> Result<Vec<TcpListener>, SystemdError> {
    let mut handed = ListenFd::from_env();
    let count = handed.len();
    if count == 0 {
        return Err(SystemdError::None);
    }
    (0..count)
        .map(|place| take_one(&mut handed, place, example))
        .collect()
}

/// Counts from 1, as people do.
fn take_one(
    handed: &mut ListenFd,
    place: usize,
    example: u16,
) -> Result<TcpListener, SystemdError> {
    let number = place + 1;
    let Ok(Some(listener)) = handed.take_tcp_listener(place) else {
        return Err(match handed.take_unix_listener(place) {
            Ok(Some(_)) => SystemdError::Unix(number, example),
            _ => SystemdError::NotTcp(number, example),
        });
    };
    let stream = TcpStream::from(OwnedFd::from(listener));
    if stream.peer_addr().is_ok() {
        return Err(SystemdError::Connection(number));
    }
    let listener = net::TcpListener::from(OwnedFd::from(stream));
    let listening = listener
        .set_nonblocking(true)
        .and_then(|()| TcpListener::from_std(listener));
    listening.map_err(|error| SystemdError::Io(number, error))
}
