//! XML, crudely: texts between tags and values of attributes are arguments by the name of their element.
//!
//! Nothing is checked, nothing expanded: entities and document types are found by rules that look at the body whole.

use crate::waf::Place;
use crate::waf::inspection::Inspection;

/// Shows every text and every value.
pub(super) fn read(bytes: &[u8], inspection: &mut Inspection<'_, '_>) {
    let mut element: &[u8] = b"";
    let mut rest = bytes;
    while let Some(open) = memchr::memchr(b'<', rest) {
        let (text, tag) = rest.split_at(open);
        show(element, text, inspection);
        if let Some(data) = tag.strip_prefix(b"<![CDATA[") {
            let end = memchr::memmem::find(data, b"]]>").unwrap_or(data.len());
            show(element, data.get(..end).unwrap_or_default(), inspection);
            rest = data.get(end + 3..).unwrap_or_default();
            continue;
        }
        let end = memchr::memchr(b'>', tag).unwrap_or(tag.len());
        let inside = tag.get(1..end).unwrap_or_default();
        let name = inside.split(|byte| byte.is_ascii_whitespace() || *byte == b'/').next().unwrap_or_default();
        if !name.is_empty() {
            element = name;
        }
        if inspection.argument_name(name).is_break() {
            return;
        }
        attributes(name, inside, inspection);
        rest = tag.get(end + 1..).unwrap_or_default();
    }
    show(element, rest, inspection);
}

fn show(element: &[u8], text: &[u8], inspection: &mut Inspection<'_, '_>) {
    let text = text.trim_ascii();
    if !text.is_empty() {
        inspection.text(Place::Argument, element, text);
    }
}

fn attributes(element: &[u8], mut tag: &[u8], inspection: &mut Inspection<'_, '_>) {
    while let Some(start) = memchr::memchr2(b'"', b'\'', tag) {
        let Some((quote, value)) = tag.get(start..).and_then(<[u8]>::split_first) else { return };
        let end = memchr::memchr(*quote, value).unwrap_or(value.len());
        show(element, value.get(..end).unwrap_or_default(), inspection);
        tag = value.get(end + 1..).unwrap_or_default();
    }
}
