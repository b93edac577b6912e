//! One body: a byte that chooses limits and framing, three that cut, then the body.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rayline_http1::laws;
use rayline_http1::{Framing, Limits};

fuzz_target!(|input: &[u8]| {
    let Some(([options, lengths @ ..], bytes)) = input.split_first_chunk::<4>() else {
        return;
    };
    let limits = if options & 1 == 0 { Limits::default() } else { laws::TIGHT };
    let framing = match options >> 1 & 7 {
        0 => Framing::None,
        1 => Framing::Close,
        2 => Framing::Length(u64::from(options >> 4)),
        _ => Framing::Chunked,
    };
    laws::body(framing, limits, bytes, lengths);
});
