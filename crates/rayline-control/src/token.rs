//! The token that opens the admin server: 32 random bytes in a file that only its owner may read.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use subtle::ConstantTimeEq as _;

/// Hexadecimal digits of a token.
const DIGITS: usize = 64;

/// The admin server's secret. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The token in the file, made first if there is none.
    ///
    /// A file that others could read, or that holds no token, is replaced: what was in it is no secret. The folder is
    /// made if it is missing.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or none can be made.
    pub fn load_or_make(path: &Path) -> io::Result<Self> {
        match fs::metadata(path) {
            Ok(facts) if facts.mode() & 0o077 == 0 => match Self::read(path) {
                Err(error) if error.kind() == io::ErrorKind::InvalidData => Self::make(path),
                outcome => outcome,
            },
            Ok(_) => Self::make(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::make(path),
            Err(error) => Err(error),
        }
    }

    /// The token in the file, for whoever wants to ask the admin server.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or (`InvalidData`) holds no token.
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut text = String::new();
        fs::File::open(path)?.take(1024).read_to_string(&mut text)?;
        Self::parse(text.trim()).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no token in the file"))
    }

    /// The token that these 64 hexadecimal digits are.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The digits, as they follow `Authorization: Bearer `.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether that is it; takes as long whatever is wrong with it.
    pub(crate) fn is(&self, offered: &str) -> bool {
        self.0.as_bytes().ct_eq(offered.as_bytes()).into()
    }

    fn make(path: &Path) -> io::Result<Self> {
        let mut bytes = [0; DIGITS / 2];
        getrandom::fill(&mut bytes)?;
        let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        // under another name first: the file is whole or it is not there
        let fresh = path.with_extension("token.new");
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(format!("{token}\n").as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        Ok(Self(token))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/for/it/admin.token");
        let token = Token::load_or_make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Token::load_or_make(&path).unwrap(), token);
        assert_eq!(Token::read(&path).unwrap(), token);
        assert!(token.is(token.as_str()));
        for other in ["", &token.as_str()[1..], &format!("{}0", token.as_str()), &"0".repeat(DIGITS)] {
            assert!(!token.is(other), "{other}");
        }
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert_ne!(Token::load_or_make(&folder.path().join("other")).unwrap(), token);
    }

    #[test]
    fn what_is_no_secret_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.token");
        for (text, mode) in [("", 0o600), ("secret\n", 0o600), (&*"ab".repeat(32), 0o640), (&*"ab".repeat(32), 0o604)] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let token = Token::load_or_make(&path).unwrap();
            assert_ne!(token.as_str(), text);
            assert_eq!(Token::read(&path).unwrap(), token);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
