//! Requests with their bodies, pipelined: four bytes of choices, then the stream.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rayline_http1::Limits;
use rayline_http1::laws;

fuzz_target!(|input: &[u8]| {
    let Some(([options, lengths @ ..], bytes)) = input.split_first_chunk::<4>() else {
        return;
    };
    let limits = if options & 1 == 0 { Limits::default() } else { laws::TIGHT };
    laws::requests(limits, bytes, lengths);
    let (first, second) = bytes.split_at(usize::from(*options).min(bytes.len()));
    laws::writer(first, second, u16::from(*options) * 4);
});
