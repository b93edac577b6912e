//! What a request is known to be, as expressions ask for it.

use std::net::IpAddr;
use std::ops::ControlFlow;

use crate::scheme::Field;

/// A field's value, borrowed from the request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fact<'a> {
    /// Nothing: the field does not apply to this request. A comparison with it is false.
    Nothing,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Bytes, as they came.
    Bytes(&'a [u8]),
    /// An address.
    Ip(IpAddr),
}

/// Is shown the key and the value of an entry, and says whether it wants more.
pub type Each<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// What is known of one request, and of its answer once there is one. Nothing is prepared that no expression asks for.
///
/// Names in an expression that are made of others (`http.request.uri.path.extension`, `len(…)`) are the evaluator's;
/// which those are says [`Field::is_derived`].
pub trait Facts {
    /// The value of a field that is neither an array nor a map.
    fn fact(&self, field: Field) -> Fact<'_>;

    /// Each entry of a field that is a map or an array, in the order it came, until `each` breaks. The key is empty for
    /// an array. Names of header fields come as they were sent: whoever compares them ignores their case.
    fn entries(&self, field: Field, each: &mut Each<'_>);

    /// A number that is another one once any fact of this request has become another: what was worked out in one phase
    /// then counts in the next as long as it is the same. `None` promises nothing, so that each phase begins anew.
    fn revision(&self) -> Option<u64> {
        None
    }
}
