//! What guards need beyond one request, and beyond one plan: the counters of rate limits, the key of challenges, and the
//! signatures of replays. One for all workers.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Instant;

use aws_lc_rs::rand;
use rayline_rules::challenge::Challenger;
use rayline_rules::rate::Limiter;

use crate::replay::Replays;

/// The file in `data_dir` with the key of challenges, so that those who passed one need not pass it again after a restart.
const KEY_FILE: &str = "challenge.key";
/// Keys that rate limits count at once: 32 MB, taken when the first rule counts.
const KEYS: usize = 1 << 20;

/// What guards share.
#[derive(Debug)]
pub(crate) struct Guard {
    challenger: OnceLock<Challenger>,
    data_dir: PathBuf,
    /// The key of challenges where none can be kept.
    own_key: [u8; 32],
    pub(crate) replays: Replays,
    limiter: OnceLock<Limiter>,
    seed: u64,
    began: Instant,
}

impl Guard {
    /// Nothing is counted yet, and no key read.
    ///
    /// # Errors
    /// The system has no random bytes to give.
    pub(crate) fn open(data_dir: &Path) -> io::Result<Self> {
        Ok(Self {
            challenger: OnceLock::new(),
            data_dir: data_dir.to_owned(),
            own_key: random()?,
            replays: Replays::new()?,
            limiter: OnceLock::new(),
            seed: u64::from_ne_bytes(random()?),
            began: Instant::now(),
        })
    }

    /// Who asks challenges and judges answers, with the key that lies in `data_dir`; one that cannot be kept there lasts as
    /// long as the process.
    pub(crate) fn challenger(&self) -> &Challenger {
        self.challenger.get_or_init(|| Challenger::new(&kept(&self.data_dir).unwrap_or(self.own_key)))
    }

    /// The counters of rate limits.
    pub(crate) fn limiter(&self) -> &Limiter {
        self.limiter.get_or_init(|| Limiter::new(KEYS, self.seed))
    }

    /// Keys that rate limits had to forget before their time.
    pub(crate) fn forgotten(&self) -> u64 {
        self.limiter.get().map_or(0, |limiter| limiter.table().forgotten())
    }

    /// Milliseconds on the clock of the counters.
    pub(crate) fn milliseconds(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX)
    }
}

fn random<const LENGTH: usize>() -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    rand::fill(&mut bytes).map_err(|_| io::Error::other("the system gave no random bytes"))?;
    Ok(bytes)
}

/// The key in its file, which is made if there is none.
fn kept(data_dir: &Path) -> io::Result<[u8; 32]> {
    let path = data_dir.join(KEY_FILE);
    let mut key = [0; 32];
    match std::fs::File::open(&path) {
        Ok(mut file) => file.read_exact(&mut key)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            key = random()?;
            std::fs::create_dir_all(data_dir)?;
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(&key)?;
        }
        Err(error) => return Err(error),
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_key_outlives_the_process_and_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        let first = kept(&data_dir).unwrap();
        assert_eq!(kept(&data_dir).unwrap(), first);
        let mode = std::fs::metadata(data_dir.join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(data_dir.join(KEY_FILE), "short").unwrap();
        assert!(kept(&data_dir).is_err());
        Guard::open(&data_dir).unwrap().challenger();
    }
}
