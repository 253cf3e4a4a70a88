//! Encryption of personal data at rest: AES-256-GCM, with a keyed hash for look-ups (ADR-028).

use std::fmt;
use std::sync::Arc;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use hmac::{Hmac, Mac};
use kernel::IdGenerator;
use sha2::Sha256;
use user::Email;
use uuid::Uuid;

use crate::StorageError;

/// The secret from which the keys for personal data are derived. It does not print.
#[derive(Clone)]
pub struct PersonalDataKey([u8; 32]);

impl PersonalDataKey {
    /// Takes 32 secret bytes.
    pub const fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// Derives a key for one purpose.
    fn derive(&self, purpose: &str) -> [u8; 32] {
        mac(&self.0, &[purpose.as_bytes()])
    }
}

impl fmt::Debug for PersonalDataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonalDataKey(…)")
    }
}

/// Encrypts, decrypts and hashes personal data.
///
/// A ciphertext is the format's number, the id of its key, a random nonce and what AES-256-GCM makes of the
/// text, bound to its column and row. While keys are rotated there is a second key, which is read with and
/// looked up by, and never written with (ADR-036).
pub(crate) struct Cipher {
    current: Keys,
    previous: Option<Keys>,
    ids: Arc<dyn IdGenerator>,
}

/// What is derived from one secret.
struct Keys {
    id: [u8; KEY_ID],
    aead: Aes256Gcm,
    email_key: [u8; 32],
}

const FORMAT: u8 = 1;
const KEY_ID: usize = 4;
const NONCE: usize = 12;

impl Keys {
    fn of(secret: &PersonalDataKey) -> Self {
        let id = secret.derive("jumun personal data key id");
        Self {
            id: [id[0], id[1], id[2], id[3]],
            aead: Aes256Gcm::new(&secret.derive("jumun personal data encryption").into()),
            email_key: secret.derive("jumun e-mail look-up"),
        }
    }

    fn email_hash(&self, email: &Email) -> [u8; 32] {
        mac(&self.email_key, &[email.canonical().as_bytes()])
    }
}

impl Cipher {
    pub(crate) fn new(
        secret: &PersonalDataKey,
        previous: Option<&PersonalDataKey>,
        ids: Arc<dyn IdGenerator>,
    ) -> Self {
        Self { current: Keys::of(secret), previous: previous.map(Keys::of), ids }
    }

    /// Returns the hash by which an address is found and kept unique.
    pub(crate) fn email_hash(&self, email: &Email) -> [u8; 32] {
        self.current.email_hash(email)
    }

    /// Returns the hash that an address has in rows under the other key, while there is one.
    pub(crate) fn previous_email_hash(&self, email: &Email) -> Option<[u8; 32]> {
        self.previous.as_ref().map(|keys| keys.email_hash(email))
    }

    /// Tells whether a ciphertext was made with the current key.
    pub(crate) fn is_current(&self, stored: &[u8]) -> bool {
        stored.strip_prefix(&[FORMAT]).is_some_and(|rest| rest.starts_with(&self.current.id))
    }

    pub(crate) fn encrypt(&self, text: &str, column: &str, row: Uuid) -> Result<Vec<u8>, StorageError> {
        let mut nonce = [0; NONCE];
        self.ids.fill_random(&mut nonce);
        let place = place(column, row);
        let payload = Payload { msg: text.as_bytes(), aad: &place };
        let sealed = self.current.aead.encrypt(&Nonce::from(nonce), payload).map_err(|_| failed(row))?;
        Ok([&[FORMAT][..], &self.current.id, &nonce, &sealed].concat())
    }

    pub(crate) fn decrypt(&self, stored: &[u8], column: &str, row: Uuid) -> Result<String, StorageError> {
        let (head, rest) = stored.split_at_checked(1 + KEY_ID).ok_or_else(|| failed(row))?;
        let mut keys = std::iter::once(&self.current).chain(&self.previous);
        let keys = keys.find(|keys| head[0] == FORMAT && head[1..] == keys.id).ok_or_else(|| failed(row))?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or_else(|| failed(row))?;
        let place = place(column, row);
        let payload = Payload { msg: sealed, aad: &place };
        let text = keys.aead.decrypt(&Nonce::from(*nonce), payload).map_err(|_| failed(row))?;
        String::from_utf8(text).map_err(|_| failed(row))
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(…)")
    }
}

/// What a ciphertext is bound to, so that it cannot be moved to another column or row.
fn place(column: &str, row: Uuid) -> Vec<u8> {
    [column.as_bytes(), row.as_bytes()].concat()
}

fn failed(row: Uuid) -> StorageError {
    StorageError::PersonalData { key: row.to_string() }
}

fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC pads a short key with zeros to the block of its hash (RFC 2104).
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts instead of choosing, so that nonces differ and tests repeat.
    struct Counting(std::sync::atomic::AtomicU64);

    impl IdGenerator for Counting {
        fn uuid(&self) -> Uuid {
            Uuid::from_u128(self.random().into())
        }

        fn fill_random(&self, bytes: &mut [u8]) {
            let count = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_be_bytes();
            for (byte, value) in bytes.iter_mut().zip(count.into_iter().cycle()) {
                *byte = value;
            }
        }
    }

    fn cipher(secret: u8) -> Cipher {
        Cipher::new(&PersonalDataKey::new([secret; 32]), None, Arc::new(Counting(1.into())))
    }

    #[test]
    fn while_keys_are_rotated_both_are_read_and_one_is_written() {
        let row = Uuid::from_u128(1);
        let [old, new] = [7, 8].map(|secret| PersonalDataKey::new([secret; 32]));
        let both = Cipher::new(&new, Some(&old), Arc::new(Counting(1.into())));
        let (under_old, under_new) = (cipher(7), cipher(8));
        let stored = under_old.encrypt("Kim", "users.name", row).unwrap();
        assert_eq!(both.decrypt(&stored, "users.name", row).unwrap(), "Kim");
        assert!(!both.is_current(&stored) && !both.is_current(&[]) && !both.is_current(&[FORMAT]));
        let stored = both.encrypt("Kim", "users.name", row).unwrap();
        assert!(both.is_current(&stored));
        assert_eq!(under_new.decrypt(&stored, "users.name", row).unwrap(), "Kim");
        assert!(under_old.decrypt(&stored, "users.name", row).is_err());

        let email = Email::new("kim@example.com").unwrap();
        assert_eq!(both.email_hash(&email), under_new.email_hash(&email));
        assert_eq!(both.previous_email_hash(&email), Some(under_old.email_hash(&email)));
        assert_eq!(under_new.previous_email_hash(&email), None);
    }

    #[test]
    fn a_ciphertext_is_read_only_where_it_was_written_and_only_with_its_key() {
        let (row, other_row) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let stored = cipher(7).encrypt("kim@example.com", "users.email", row).unwrap();
        assert_eq!(cipher(7).decrypt(&stored, "users.email", row).unwrap(), "kim@example.com");
        assert!(cipher(7).decrypt(&stored, "users.name", row).is_err(), "another column");
        assert!(cipher(7).decrypt(&stored, "users.email", other_row).is_err(), "another row");
        assert!(cipher(8).decrypt(&stored, "users.email", row).is_err(), "another key");
        for index in 0..stored.len() {
            let mut damaged = stored.clone();
            damaged[index] ^= 1;
            assert!(cipher(7).decrypt(&damaged, "users.email", row).is_err(), "byte {index}");
            assert!(cipher(7).decrypt(&stored[..index], "users.email", row).is_err(), "cut at {index}");
        }
    }

    #[test]
    fn equal_texts_look_different_and_equal_addresses_have_one_hash() {
        let cipher = cipher(7);
        let row = Uuid::from_u128(1);
        let twice = [(); 2].map(|()| cipher.encrypt("Kim", "users.name", row).unwrap());
        assert_ne!(twice[0], twice[1]);
        let hash = |text| cipher.email_hash(&Email::new(text).unwrap());
        assert_eq!(hash("Kim@example.com"), hash("kim@EXAMPLE.com"));
        assert_ne!(hash("kim@example.com"), hash("kim2@example.com"));
    }
}
