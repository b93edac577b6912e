//! Responses with their bodies, one after the other: four bytes of choices, then the stream.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rayline_http1::laws;
use rayline_http1::{Limits, RequestKind};

fuzz_target!(|input: &[u8]| {
    let Some(([options, lengths @ ..], bytes)) = input.split_first_chunk::<4>() else {
        return;
    };
    let limits = if options & 1 == 0 { Limits::default() } else { laws::TIGHT };
    let request = match options >> 1 & 3 {
        0 | 1 => RequestKind::Other,
        2 => RequestKind::Head,
        _ => RequestKind::Connect,
    };
    laws::responses(limits, request, bytes, lengths);
});
