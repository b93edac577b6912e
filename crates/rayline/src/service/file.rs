//! The configuration file, replaced by what was applied: what runs is what a restart finds there.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

/// Replaces the file by `text`, and says what is worth saying. Where it holds neither `text` nor what ran `before`,
/// somebody has written what never ran: that goes to `aside` first, which says where it is then.
pub(super) fn replace(
    path: &Path,
    before: &str,
    text: &str,
    aside: impl FnOnce(&[u8]) -> io::Result<PathBuf>,
) -> Option<String> {
    // Where it is a link, its target is the file.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let shown = path.display();
    let failed = |error: io::Error| {
        format!("`{shown}` cannot be replaced ({error}): it keeps its old text, on which a restart would run")
    };
    let mut said = None;
    match fs::read(&target) {
        Ok(found) if found == text.as_bytes() => return None,
        Ok(found) if found != before.as_bytes() => match aside(&found) {
            Ok(kept) => said = Some(format!("`{shown}` had a text that never ran; it is in `{}` now", kept.display())),
            Err(error) => return Some(failed(error)),
        },
        Ok(_) | Err(_) => {}
    }
    write(&target, text).map_err(failed).err().or(said)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
    fresh.write_all(text.as_bytes())?;
    if let Ok(old) = fs::metadata(path) {
        fs::set_permissions(fresh.path(), old.permissions())?;
        // Only root can give a file away; for others it is theirs already, or their group's.
        let _ = chown(fresh.path(), Some(old.uid()), Some(old.gid()));
    }
    fresh.as_file().sync_all()?;
    fresh.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_file_keeps_its_rights_and_its_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.toml"), folder.path().join("rayline.toml"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        let nothing_aside = |_: &[u8]| panic!("nothing is lost");
        assert_eq!(replace(&link, "old", "new", nothing_aside), None);
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(replace(&link, "old", "new", nothing_aside), None);
    }

    #[test]
    fn what_never_ran_is_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let (file, kept) = (folder.path().join("rayline.toml"), folder.path().join("kept.toml"));
        fs::write(&file, "edited").unwrap();
        let aside = |found: &[u8]| fs::write(&kept, found).map(|()| kept.clone());
        let said = replace(&file, "old", "new", aside).unwrap();
        assert!(said.contains("kept.toml"), "{said}");
        assert_eq!(
            (fs::read_to_string(&file).unwrap(), fs::read_to_string(&kept).unwrap()),
            ("new".into(), "edited".into())
        );
        fs::write(&file, "edited").unwrap();
        let said = replace(&file, "old", "new", |_| Err(io::Error::other("full"))).unwrap();
        assert!(said.contains("cannot be replaced (full)"), "{said}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "edited");
    }
}
