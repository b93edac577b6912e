//! What interpreters skip over, and attackers therefore strew in.

/// What [`controls`] takes out.
pub(super) const fn is_control(byte: u8) -> bool {
    matches!(byte, 0..=8 | b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | 0x0e..=0x1f)
}

/// Browsers read `java\tscript:` as if the tab were not there, C programs stop at NUL.
pub(super) fn controls(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend(bytes.iter().filter(|byte| !is_control(**byte)));
}

/// Comments of SQL become a space; one that does not end goes to the end. What MySQL executes in a comment stays.
pub(super) fn comments(mut bytes: &[u8], out: &mut Vec<u8>) {
    loop {
        let Some(place) = memchr::memchr2(b'/', b'*', bytes) else {
            out.extend_from_slice(bytes);
            return;
        };
        let (before, rest) = bytes.split_at(place);
        out.extend_from_slice(before);
        bytes = if let Some(executed) = rest.strip_prefix(b"/*!").or_else(|| rest.strip_prefix(b"/*M!")) {
            out.push(b' ');
            let version = executed.iter().take_while(|byte| byte.is_ascii_digit()).take(6).count();
            executed.get(version..).unwrap_or_default()
        } else if let Some(comment) = rest.strip_prefix(b"/*") {
            out.push(b' ');
            match memchr::memmem::find(comment, b"*/") {
                Some(end) => comment.get(end + 2..).unwrap_or_default(),
                None => return,
            }
        } else if let Some(after) = rest.strip_prefix(b"*/") {
            out.push(b' ');
            after
        } else {
            out.extend(rest.first());
            rest.get(1..).unwrap_or_default()
        };
    }
}

/// One kind of slash, each once, and no `.` that stays where it is. `..` is left, for that is what rules look for.
pub(super) fn path(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        let byte = if *byte == b'\\' { b'/' } else { *byte };
        if byte == b'/' {
            if out.ends_with(b"/.") {
                out.pop();
            }
            if out.last() == Some(&b'/') {
                continue;
            }
        }
        out.push(byte);
    }
}

/// Expansions that come to nothing, or to a space.
const EXPANSIONS: &[(&[u8], &[u8])] = &[
    (b"${IFS}", b" "),
    (b"$IFS$9", b" "),
    (b"$IFS", b" "),
    (b"$@", b""),
    (b"$*", b""),
    (b"${@}", b""),
    (b"$()", b""),
    (b"``", b""),
];

/// `c'a't /e\tc` is `cat /etc` to a shell.
pub(super) fn shell(mut bytes: &[u8], out: &mut Vec<u8>) {
    while let Some((first, rest)) = bytes.split_first() {
        let expansion = match first {
            b'$' | b'`' => EXPANSIONS.iter().find(|(expansion, _)| bytes.starts_with(expansion)),
            _ => None,
        };
        if let Some((expansion, text)) = expansion {
            out.extend_from_slice(text);
            bytes = bytes.get(expansion.len()..).unwrap_or_default();
            continue;
        }
        if !matches!(first, b'\\' | b'\'' | b'"' | b'^') {
            out.push(*first);
        }
        bytes = rest;
    }
}
