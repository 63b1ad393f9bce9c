//! Answers to requests.

use std::collections::VecDeque;

use bytes::Bytes;
use hyper::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};

/// Answer to a request, with its whole body.
pub type Answer = Response<AnswerBody>;

/// Body of an answer: pieces that are sent one after another. What many answers have in common is a piece
/// that they share.
#[derive(Debug, Clone, Default)]
pub struct AnswerBody {
    pieces: VecDeque<Bytes>,
    /// Length of all pieces, in bytes.
    length: usize,
}

impl AnswerBody {
    /// Returns the length in bytes.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Returns whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Returns all pieces as one.
    pub fn to_bytes(&self) -> Bytes {
        match self.pieces.front() {
            Some(piece) if self.pieces.len() == 1 => piece.clone(),
            _ => self.pieces.iter().flatten().copied().collect(),
        }
    }

    /// Takes the next bytes away, at most `most` of them; `None` where none is left.
    pub(crate) fn next_slice(&mut self, most: usize) -> Option<Bytes> {
        let piece = self.pieces.front_mut()?;
        let slice = piece.split_to(piece.len().min(most));
        if piece.is_empty() {
            self.pieces.pop_front();
        }
        self.length -= slice.len();
        Some(slice)
    }
}

impl From<Vec<Bytes>> for AnswerBody {
    fn from(pieces: Vec<Bytes>) -> Self {
        let pieces: VecDeque<_> = pieces.into_iter().filter(|p| !p.is_empty()).collect();
        Self {
            length: pieces.iter().map(Bytes::len).sum(),
            pieces,
        }
    }
}

impl From<String> for AnswerBody {
    fn from(text: String) -> Self {
        Self::from(Bytes::from(text))
    }
}

impl From<Vec<u8>> for AnswerBody {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(Bytes::from(bytes))
    }
}

impl From<Bytes> for AnswerBody {
    fn from(piece: Bytes) -> Self {
        Self::from(vec![piece])
    }
}

/// Builds an answer of plain text.
pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    respond(
        status,
        "text/plain; charset=utf-8",
        Into::<Bytes>::into(body),
    )
}

/// Builds an answer that no cache keeps, and whose type no browser guesses.
///
/// # Panics
/// When the content type is no value of a header: it is the program's own text.
pub fn respond(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<AnswerBody>,
) -> Answer {
    let body = body.into();
    let length = body.len();
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    // Hyper would leave out the length of an empty body in an answer to HEAD.
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_sent_in_slices_of_its_pieces() {
        let pieces = ["ab", "", "cdefg"].map(|piece| Bytes::from_static(piece.as_bytes()));
        let mut body = AnswerBody::from(pieces.to_vec());
        assert_eq!(body.to_bytes(), "abcdefg");
        let mut slices = Vec::new();
        while let Some(slice) = body.next_slice(3) {
            slices.push((slice, body.len()));
        }
        let told: Vec<_> = slices.iter().map(|(s, rest)| (&s[..], *rest)).collect();
        assert_eq!(told, [(&b"ab"[..], 5), (&b"cde"[..], 2), (&b"fg"[..], 0)]);
        assert!(body.is_empty() && AnswerBody::from(Bytes::new()).is_empty());
        assert_eq!(AnswerBody::default().to_bytes(), "");
    }
}
