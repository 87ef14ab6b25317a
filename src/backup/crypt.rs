//! Who can read a snapshot: age recipients, which are public, and identities, which are not.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use age::secrecy::ExposeSecret;
use age_core::format::{FileKey, Stanza};

use super::Error;
use crate::base::secret::Secret;

/// How every age file begins.
pub(super) const AGE_MAGIC: &[u8] = b"age-encryption.org/v1\n";

/// Those for whom snapshots are encrypted: at least one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recipients(Vec<String>);

impl Recipients {
    /// Parses `age1…` recipients, those of plugins (`age1NAME1…`) and of hardware keys (`age1tag1…`,
    /// `age1tagpq1…`) among them, and `ssh-ed25519` or `ssh-rsa` public keys.
    ///
    /// Returns nothing for an empty list.
    pub fn parse<S: AsRef<str>>(texts: &[S]) -> Result<Option<Self>, Error> {
        let mut parsed = Vec::new();
        for (i, text) in texts.iter().enumerate() {
            let refused = |problem| Error::Recipient { number: i + 1, problem };
            parsed.push(canonical(text.as_ref().trim()).map_err(refused)?);
        }
        parsed.sort();
        parsed.dedup();
        Ok((!parsed.is_empty()).then_some(Self(parsed)))
    }

    /// Returns the recipients as text, sorted.
    pub fn texts(&self) -> &[String] {
        &self.0
    }

    fn keys(&self) -> Result<Vec<Box<dyn age::Recipient>>, Error> {
        let key = |text: &String| match parse(text).expect("texts were parsed when this was made") {
            Parsed::Key(key) => Ok(key),
            Parsed::Plugin(recipient) => plugin(&recipient),
        };
        self.0.iter().map(key).collect()
    }
}

/// A recipient: a key, or what a program that is installed makes one of.
enum Parsed {
    Key(Box<dyn age::Recipient>),
    Plugin(age::plugin::Recipient),
}

/// Returns the key behind a recipient of a plugin, whose program has to be there.
fn plugin(recipient: &age::plugin::Recipient) -> Result<Box<dyn age::Recipient>, Error> {
    let name = recipient.plugin();
    let recipients = std::slice::from_ref(recipient);
    age::plugin::RecipientPluginV1::new(name, recipients, &[], age::NoCallbacks)
        .map(|key| Box::new(key) as Box<dyn age::Recipient>)
        .map_err(|_| Error::Plugin { name: name.to_owned() })
}

/// Returns a recipient without the comment that an ssh key carries.
fn canonical(text: &str) -> Result<String, &'static str> {
    if text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
        return Err(
            "is an identity, which is secret; the recipient is the `age1…` that goes with it",
        );
    }
    if text.contains("PRIVATE KEY") {
        return Err("is a private key; the recipient is the public key that goes with it");
    }
    parse(text)?;
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    Ok(words.join(" "))
}

fn parse(text: &str) -> Result<Parsed, &'static str> {
    if text.starts_with("ssh-") {
        let key: Result<age::ssh::Recipient, _> = text.parse();
        return match key {
            Ok(key) => Ok(Parsed::Key(Box::new(key))),
            Err(_) => Err("is not a usable ssh-ed25519 or ssh-rsa public key"),
        };
    }
    if let Ok(key) = text.parse::<age::x25519::Recipient>() {
        return Ok(Parsed::Key(Box::new(key)));
    }
    if let Ok(key) = text.parse::<age::tag::Recipient>() {
        return Ok(Parsed::Key(Box::new(key)));
    }
    if let Ok(key) = text.parse::<age::tagpq::Recipient>() {
        return Ok(Parsed::Key(Box::new(key)));
    }
    if text.starts_with("age1pq1") {
        return Err("is a post-quantum recipient of a kind that this version cannot encrypt for");
    }
    text.parse()
        .map(Parsed::Plugin)
        .map_err(|_| "is neither an `age1…` recipient nor an ssh public key")
}

/// The secret keys that decrypt snapshots.
#[derive(Clone, Default)]
pub struct Identities(Keys);

impl Identities {
    /// Reads age identity files and ssh private keys, none of them under a passphrase.
    pub fn read(paths: &[PathBuf]) -> Result<Self, Error> {
        Self::read_with(paths, None)
    }

    /// Does as [`read`](Self::read); what is under a passphrase, be it armored, is opened with this one.
    pub fn read_with(paths: &[PathBuf], passphrase: Option<&Secret>) -> Result<Self, Error> {
        let mut identities = Vec::new();
        for path in paths {
            if path.to_string_lossy().to_ascii_uppercase().contains("AGE-SECRET-KEY-") {
                return Err(Error::IdentityText);
            }
            identities.append(&mut read_one(path, passphrase)?);
        }
        Ok(Self(identities))
    }

    /// Adds the identity that a repository keeps under a passphrase.
    pub(super) fn unlock(&mut self, sealed: &[u8], passphrase: &Secret) -> Result<(), Error> {
        let opened = under_passphrase(sealed, passphrase).ok_or(Error::Passphrase)?;
        self.0.append(&mut identities(&opened).map_err(|_| Error::Passphrase)?);
        Ok(())
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Shows how many there are, and nothing of them.
impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identities({})", self.0.len())
    }
}

type Keys = Vec<Arc<dyn age::Identity + Send + Sync>>;

fn read_one(path: &Path, passphrase: Option<&Secret>) -> Result<Keys, Error> {
    let refused = |problem| Error::Identity { path: path.to_owned(), problem };
    let locked = || Error::Locked { path: path.to_owned() };
    let failed = |source| Error::Io { action: "read", path: path.to_owned(), source };
    let mut bytes = fs::read(path).map_err(failed)?;
    if let Some(at) = memchr::memmem::find(&bytes, b"-----BEGIN AGE ENCRYPTED FILE-----") {
        bytes = unarmored(&bytes[at..]).map_err(|_| refused("its armor is damaged"))?;
    }
    let keys = if bytes.starts_with(AGE_MAGIC) {
        let passphrase = passphrase.ok_or_else(locked)?;
        let opened = under_passphrase(&bytes, passphrase).ok_or(refused(NOT_OPENED))?;
        identities(&opened).map_err(refused)?
    } else if memchr::memmem::find(&bytes, b" PRIVATE KEY-----").is_some() {
        let read = age::ssh::Identity::from_buffer(bytes.as_slice(), None);
        let read = read.map_err(|_| refused("it is not an ssh private key that can be read"))?;
        let key = match (read, passphrase) {
            (age::ssh::Identity::Encrypted(_), None) => return Err(locked()),
            (age::ssh::Identity::Encrypted(key), Some(passphrase)) => {
                let key = key.decrypt(passphrase.expose().to_owned().into());
                age::ssh::Identity::from(key.map_err(|_| refused(NOT_OPENED))?)
            }
            (age::ssh::Identity::Unsupported(_), _) => {
                return Err(refused("ssh keys of this type cannot decrypt"));
            }
            (key, _) => key,
        };
        let key: Keys = vec![Arc::new(key)];
        key
    } else {
        identities(&bytes).map_err(refused)?
    };
    if keys.is_empty() {
        return Err(refused("it holds no identity"));
    }
    Ok(keys)
}

const NOT_OPENED: &str = "the passphrase does not open it";

fn unarmored(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    age::armor::ArmoredReader::new(bytes).read_to_end(&mut plain)?;
    Ok(plain)
}

fn identities(bytes: &[u8]) -> Result<Keys, &'static str> {
    // What age says of a bad line names no secret, but nor does it help more than this.
    let file = age::IdentityFile::from_buffer(bytes)
        .map_err(|_| "it holds something that is not an age identity")?;
    let keys = file.into_identities().map_err(|_| "it holds an identity that cannot be used")?;
    Ok(keys.into_iter().map(Arc::from).collect())
}

/// How much work opening what is under a passphrase may be, as the logarithm of its memory in KiB:
/// what asks for more would keep a computer busy for hours.
const MOST_WORK: u8 = 22;

fn under_passphrase(bytes: &[u8], passphrase: &Secret) -> Option<Vec<u8>> {
    let mut key = age::scrypt::Identity::new(passphrase.expose().to_owned().into());
    key.set_max_work_factor(MOST_WORK);
    let decryptor = age::Decryptor::new_buffered(bytes).ok()?;
    let mut opened = Vec::new();
    let mut reader = decryptor.decrypt(std::iter::once(&key as &dyn age::Identity)).ok()?;
    reader.read_to_end(&mut opened).ok()?;
    Some(opened)
}

/// Returns the recipient of the identity that is under a passphrase.
pub(super) fn recipient_of(sealed: &[u8], passphrase: &Secret) -> Option<String> {
    let opened = under_passphrase(sealed, passphrase)?;
    let key: age::x25519::Identity = str::from_utf8(&opened).ok()?.trim().parse().ok()?;
    Some(key.to_public().to_string())
}

/// Returns whether this is an age file that is under a passphrase.
pub(super) fn is_sealed(bytes: &[u8]) -> bool {
    age::Decryptor::new_buffered(bytes).is_ok_and(|file| file.is_scrypt())
}

/// Makes an identity, and returns its recipient and the identity under a passphrase.
pub(super) fn seal_identity(passphrase: &Secret) -> Result<(String, Vec<u8>), Error> {
    let build = |source| Error::Build { source };
    let key = age::x25519::Identity::generate();
    let encryptor = age::Encryptor::with_user_passphrase(passphrase.expose().to_owned().into());
    let mut out = encryptor.wrap_output(Vec::new()).map_err(build)?;
    out.write_all(key.to_string().expose_secret().as_bytes()).map_err(build)?;
    out.write_all(b"\n").map_err(build)?;
    Ok((key.to_public().to_string(), out.finish().map_err(build)?))
}

/// Makes an identity in a new file that only its owner can read, and returns its recipient.
pub fn make_identity(path: &Path) -> Result<Recipients, Error> {
    let key = age::x25519::Identity::generate();
    let recipient = key.to_public().to_string();
    let text = format!(
        "# Reads the backups of states. Keep it off the computers that write them.\n\
         # Its public key: {recipient}\n{}\n",
        key.to_string().expose_secret()
    );
    let failed = |source| Error::Io { action: "write", path: path.to_owned(), source };
    crate::base::fs::write_new(path, text.as_bytes()).map_err(failed)?;
    Ok(Recipients(vec![recipient]))
}

/// The key of one age file, kept from when it was made, so that what was encrypted can be read
/// back although only recipients are at hand.
pub(super) struct FileIdentity(FileKey);

impl age::Identity for FileIdentity {
    fn unwrap_stanza(&self, _stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        Some(Ok(copy(&self.0)))
    }
}

fn copy(key: &FileKey) -> FileKey {
    FileKey::new(Box::new(*key.expose_secret()))
}

struct Keeping<'a> {
    recipient: &'a dyn age::Recipient,
    key: RefCell<Option<FileKey>>,
}

impl age::Recipient for Keeping<'_> {
    fn wrap_file_key(
        &self,
        key: &FileKey,
    ) -> Result<(Vec<Stanza>, HashSet<String>), age::EncryptError> {
        *self.key.borrow_mut() = Some(copy(key));
        self.recipient.wrap_file_key(key)
    }
}

/// Encrypts what `fill` writes, and returns it with the key to read it back.
pub(super) fn encrypt(
    recipients: &Recipients,
    fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(Vec<u8>, FileIdentity), Error> {
    let keys = recipients.keys()?;
    let first = keys.first().expect("there is at least one recipient");
    let first = Keeping { recipient: first.as_ref(), key: RefCell::default() };
    let others = keys[1..].iter().map(|key| key.as_ref() as &dyn age::Recipient);
    let all = std::iter::once(&first as &dyn age::Recipient).chain(others);
    let encryptor =
        age::Encryptor::with_recipients(all).map_err(|source| Error::Encrypt { source })?;
    let build = |source| Error::Build { source };
    let mut out = encryptor.wrap_output(Vec::new()).map_err(build)?;
    fill(&mut out).map_err(build)?;
    let out = out.finish().map_err(build)?;
    let key = first.key.take().expect("an encryptor asks each recipient to wrap the key");
    Ok((out, FileIdentity(key)))
}

/// Why a payload can't be decrypted.
#[derive(Debug)]
pub(super) enum Refusal {
    NoneFits,
    Damaged,
}

/// Returns a reader of what was encrypted; it fails where the payload was changed or cut short.
pub(super) fn decrypt<'a>(
    payload: &'a [u8],
    identities: &Identities,
) -> Result<impl Read + use<'a>, Refusal> {
    decrypt_by(payload, identities.0.iter().map(|key| key.as_ref() as &dyn age::Identity))
}

/// Does as [`decrypt`] with the key kept from encrypting.
pub(super) fn read_back<'a>(
    payload: &'a [u8],
    key: &FileIdentity,
) -> Result<impl Read + use<'a>, Refusal> {
    decrypt_by(payload, std::iter::once(key as &dyn age::Identity))
}

fn decrypt_by<'a, 'k>(
    payload: &'a [u8],
    keys: impl Iterator<Item = &'k dyn age::Identity>,
) -> Result<age::stream::StreamReader<&'a [u8]>, Refusal> {
    let decryptor = age::Decryptor::new_buffered(payload).map_err(|_| Refusal::Damaged)?;
    decryptor.decrypt(keys).map_err(|error| match error {
        age::DecryptError::NoMatchingKeys => Refusal::NoneFits,
        _ => Refusal::Damaged,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fs as files;

    // Two keys made for these tests, which nobody has ever used; the second is under a passphrase.
    const SSH_PUBLIC: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKW+8py1iWu/Ii3Nk1PT/eMeegUbh/5s/6Fy7tOK5oMf made for a test";
    const SSH_PRIVATE: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\n\
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n\
QyNTUxOQAAACClvvKctYlrvyItzZNT0/3jHnoFG4f+bP+hcu7TiuaDHwAAAJgj52uaI+dr\n\
mgAAAAtzc2gtZWQyNTUxOQAAACClvvKctYlrvyItzZNT0/3jHnoFG4f+bP+hcu7TiuaDHw\n\
AAAEAncPJ6OHrTK9ojbmxWA9RRlwN0MXfak3eizUBU2b7SJKW+8py1iWu/Ii3Nk1PT/eMe\n\
egUbh/5s/6Fy7tOK5oMfAAAAD21hZGUgZm9yIGEgdGVzdAECAwQFBg==\n\
-----END OPENSSH PRIVATE KEY-----\n\
";
    const SSH_PROTECTED_PUBLIC: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAII05guhZZjkL6TgvYVt2OnnmtAWIcHcS8vw2y5al6xTI made for a test";
    const SSH_PROTECTED: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\n\
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABBoWjycuw\n\
S2vukF9/pc1cZ5AAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAII05guhZZjkL6Tgv\n\
YVt2OnnmtAWIcHcS8vw2y5al6xTIAAAAoGZzsCymZ5ubgCzHGwxJdnEqt31sozIXveOn7m\n\
PQ4xg/K5/V2AKMhyuAFus43H8BC2j9upXyI7bsEYj2UVATlAmqnEaDgCaXWXOEjtHGeqg7\n\
6mj3jtP8NCw6CRIA01llY0+C1Txs131ynlnGqw0mCLDXMq1+tQ+9ZE0c9b074UrGh2C5nw\n\
VKhzvn0gE96RCDZn+HTfd48+1THo2OlDOtXBI=\n\
-----END OPENSSH PRIVATE KEY-----\n\
";

    const PASSPHRASE: &str = "correct horse";

    fn identity_of(text: &str) -> Result<Identities, Error> {
        identity_under(text, None)
    }

    fn identity_under(text: &str, passphrase: Option<&str>) -> Result<Identities, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        files::write_new(&path, text.as_bytes()).unwrap();
        Identities::read_with(&[path], passphrase.map(Secret::new).as_ref())
    }

    fn recipients(texts: &[&str]) -> Recipients {
        Recipients::parse(texts).unwrap().unwrap()
    }

    fn plain(payload: &[u8], identities: &Identities) -> Vec<u8> {
        let mut plain = Vec::new();
        decrypt(payload, identities).unwrap().read_to_end(&mut plain).unwrap();
        plain
    }

    #[test]
    fn each_recipient_can_read_what_was_encrypted_for_several() {
        let native = age::x25519::Identity::generate();
        let native_text = native.to_string();
        let public = native.to_public().to_string();
        let both = recipients(&[&public, SSH_PUBLIC]);
        let (payload, key) = encrypt(&both, |out| out.write_all(b"state")).unwrap();
        assert!(payload.starts_with(AGE_MAGIC));
        let native = format!("# a comment\n{}\n", native_text.expose_secret());
        for text in [native.as_str(), SSH_PRIVATE] {
            assert_eq!(plain(&payload, &identity_of(text).unwrap()), b"state");
        }
        let mut back = Vec::new();
        read_back(&payload, &key).unwrap().read_to_end(&mut back).unwrap();
        assert_eq!(back, b"state");
    }

    /// Returns what `age -p -a` makes of a text.
    fn armored(text: &str) -> String {
        use age::armor::{ArmoredWriter, Format};
        let mut key = age::scrypt::Recipient::new(PASSPHRASE.to_owned().into());
        key.set_work_factor(2);
        let by = std::iter::once(&key as &dyn age::Recipient);
        let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor).unwrap();
        let mut out = age::Encryptor::with_recipients(by).unwrap().wrap_output(armor).unwrap();
        out.write_all(text.as_bytes()).unwrap();
        let armor = out.finish().unwrap();
        String::from_utf8(armor.finish().unwrap()).unwrap()
    }

    #[test]
    fn a_passphrase_opens_ssh_keys_and_armored_identities() {
        let native = age::x25519::Identity::generate();
        let (secret, public) = (native.to_string(), native.to_public().to_string());
        let armored = armored(secret.expose_secret());
        for (text, recipient) in [(SSH_PROTECTED, SSH_PROTECTED_PUBLIC), (&armored, &public)] {
            let fill = |out: &mut dyn Write| out.write_all(b"state");
            let (payload, _) = encrypt(&recipients(&[recipient]), fill).unwrap();
            assert_eq!(plain(&payload, &identity_under(text, Some(PASSPHRASE)).unwrap()), b"state");
            let wrong = identity_under(text, Some("battery staple")).unwrap_err().to_string();
            assert!(wrong.ends_with("the passphrase does not open it"), "{wrong}");
            let none = identity_of(text).unwrap_err().to_string();
            assert!(none.ends_with("it is protected by a passphrase"), "{none}");
        }
        let behind = format!("\nKeep this one safe.\n{armored}");
        assert!(identity_under(&behind, Some(PASSPHRASE)).is_ok());
        let cut = identity_under(&armored[..armored.len() / 2], Some(PASSPHRASE)).unwrap_err();
        assert!(cut.to_string().ends_with("its armor is damaged"), "{cut}");
    }

    #[test]
    fn another_key_does_not_fit() {
        let (payload, _) = encrypt(&recipients(&[SSH_PUBLIC]), |_| Ok(())).unwrap();
        let other = age::x25519::Identity::generate().to_string();
        let other = identity_of(other.expose_secret()).unwrap();
        assert!(matches!(decrypt(&payload, &other), Err(Refusal::NoneFits)));
        assert!(matches!(decrypt(&payload[1..], &other), Err(Refusal::Damaged)));
    }

    #[test]
    fn the_order_the_comment_and_repetition_of_recipients_do_not_matter() {
        let key = age::x25519::Identity::generate().to_public().to_string();
        let bare = SSH_PUBLIC.rsplitn(4, ' ').last().unwrap();
        let several = recipients(&[SSH_PUBLIC, &key, bare, &key]);
        assert_eq!(several, recipients(&[&key, bare]));
        assert_eq!(Recipients::parse::<&str>(&[]).unwrap(), None);
    }

    #[test]
    fn a_secret_key_in_the_place_of_a_public_one_is_refused_and_not_repeated() {
        let secret = age::x25519::Identity::generate().to_string();
        let secret = secret.expose_secret();
        let errors = [
            Recipients::parse(&[secret]).unwrap_err(),
            Recipients::parse(&[SSH_PRIVATE]).unwrap_err(),
            Recipients::parse(&["age1nothing"]).unwrap_err(),
            Recipients::parse(&["age1pq1nothing"]).unwrap_err(),
            Recipients::parse(&["ssh-dss AAAA"]).unwrap_err(),
            Identities::read(&[PathBuf::from(secret)]).unwrap_err(),
            identity_of(&secret[..40]).unwrap_err(),
        ];
        let expected = [
            "recipient 1 is an identity, which is secret",
            "recipient 1 is a private key",
            "recipient 1 is neither an `age1…` recipient nor an ssh public key",
            "recipient 1 is a post-quantum recipient of a kind",
            "recipient 1 is not a usable ssh-ed25519 or ssh-rsa public key",
            "an identity is given as a file that holds it",
            "cannot use the identity file",
        ];
        for (error, expected) in errors.iter().zip(expected) {
            let said = error.to_string();
            assert!(said.starts_with(expected), "{said}");
            assert!(!format!("{said} {error:?}").contains(&secret[20..40]), "{expected}");
        }
    }

    #[test]
    fn an_identity_that_cannot_be_used_says_why() {
        let cases = [
            (SSH_PROTECTED, "it is protected by a passphrase"),
            ("age-encryption.org/v1\n", "it is protected by a passphrase"),
            ("-----BEGIN AGE ENCRYPTED FILE-----\n", "its armor is damaged"),
            ("# nothing\n", "it holds no identity"),
            ("hello\n", "it holds something that is not an age identity"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\n", "it is not an ssh private key"),
        ];
        for (text, expected) in cases {
            let said = identity_of(text).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        }
        let missing = Identities::read(&["no/such".into()]).unwrap_err();
        assert_eq!(missing.to_string(), "cannot read no/such");
    }

    #[test]
    fn debug_output_of_identities_shows_none() {
        assert_eq!(format!("{:?}", identity_of(SSH_PRIVATE).unwrap()), "Identities(1)");
    }
}
