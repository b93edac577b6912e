//! What can be wrong with a certificate, as a table.

/// The one thing that is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// Nothing.
    None,
    /// Its time ended ten days ago.
    Expired,
    /// Its time begins in ten days.
    NotYetValid,
    /// Signed with its own key, by no authority.
    SelfSigned,
    /// Issued by another authority, whose intermediate is sent along.
    UnknownIssuer,
    /// Good, but the intermediate that issued it is not sent along.
    MissingIntermediate,
    /// Issued to `another-host.invalid`.
    WrongName,
    /// The right name, but in the common name only, where nobody looks any more (RFC 9525 section 6.3).
    CommonNameOnly,
    /// Issued for clients only (extended key usage `clientAuth`).
    WrongUsage,
    /// Signed with another key than that of the issuer it names, whose certificate is sent along.
    BadSignature,
    /// Listed in the authority's revocation list.
    Revoked,
    /// Listed in the authority's revocation list, and the server staples an OCSP response that says so too.
    RevokedStapled,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::None,
        Self::Expired,
        Self::NotYetValid,
        Self::SelfSigned,
        Self::UnknownIssuer,
        Self::MissingIntermediate,
        Self::WrongName,
        Self::CommonNameOnly,
        Self::WrongUsage,
        Self::BadSignature,
        Self::Revoked,
        Self::RevokedStapled,
    ];

    /// The stable name, in kebab-case.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// What a server with such a certificate does, completing the sentence "the origin …".
    pub fn what(self) -> &'static str {
        self.row().1
    }

    fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::None => ("cert-good", "presents a good certificate"),
            Self::Expired => ("cert-expired", "presents a certificate that expired ten days ago"),
            Self::NotYetValid => ("cert-not-yet-valid", "presents a certificate that becomes valid in ten days"),
            Self::SelfSigned => ("cert-self-signed", "presents a certificate that it signed itself"),
            Self::UnknownIssuer => {
                ("cert-unknown-issuer", "presents a certificate of an authority that the edge does not know")
            }
            Self::MissingIntermediate => {
                ("cert-missing-intermediate", "presents its certificate without the intermediate one that issued it")
            }
            Self::WrongName => ("cert-wrong-name", "presents a certificate for another host"),
            Self::CommonNameOnly => {
                ("cert-common-name-only", "presents a certificate with its name in the old place only, the common name")
            }
            Self::WrongUsage => {
                ("cert-wrong-usage", "presents a certificate that is meant for clients, not for servers")
            }
            Self::BadSignature => {
                ("cert-bad-signature", "presents a certificate whose signature is not made with its issuer's key")
            }
            Self::Revoked => {
                ("cert-revoked", "presents a certificate that its authority has put on the revocation list")
            }
            Self::RevokedStapled => {
                ("cert-revoked-stapled", "presents a revoked certificate and staples the proof of that to it")
            }
        }
    }
}
