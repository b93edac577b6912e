//! The phases in which rules run: their order, their names, and what is known in each. What an action does in one it
//! does not say.

use crate::scheme::Stage;

/// The phases in which rules run, in that order ("Phases list").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Single redirects.
    DynamicRedirect,
    /// URL rewrites.
    RequestTransform,
    /// Configuration rules.
    ConfigSettings,
    /// Origin rules.
    Origin,
    /// Custom rules.
    FirewallCustom,
    /// Rate limiting rules, those counted by requests and those counted by responses.
    Ratelimit,
    /// Managed rules.
    FirewallManaged,
    /// Bulk redirects.
    Redirect,
    /// Changes of request header fields.
    LateTransform,
    /// Cache rules.
    CacheSettings,
    /// Custom errors.
    CustomErrors,
    /// Changes of response header fields.
    ResponseHeadersTransform,
    /// Compression rules.
    ResponseCompression,
    /// Fields of requests and responses for the request log.
    LogCustomFields,
}

impl Phase {
    /// Every phase in order.
    pub const ALL: [Self; 14] = [
        Self::DynamicRedirect,
        Self::RequestTransform,
        Self::ConfigSettings,
        Self::Origin,
        Self::FirewallCustom,
        Self::Ratelimit,
        Self::FirewallManaged,
        Self::Redirect,
        Self::LateTransform,
        Self::CacheSettings,
        Self::CustomErrors,
        Self::ResponseHeadersTransform,
        Self::ResponseCompression,
        Self::LogCustomFields,
    ];

    /// Its name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DynamicRedirect => "http_request_dynamic_redirect",
            Self::RequestTransform => "http_request_transform",
            Self::ConfigSettings => "http_config_settings",
            Self::Origin => "http_request_origin",
            Self::FirewallCustom => "http_request_firewall_custom",
            Self::Ratelimit => "http_ratelimit",
            Self::FirewallManaged => "http_request_firewall_managed",
            Self::Redirect => "http_request_redirect",
            Self::LateTransform => "http_request_late_transform",
            Self::CacheSettings => "http_request_cache_settings",
            Self::CustomErrors => "http_custom_errors",
            Self::ResponseHeadersTransform => "http_response_headers_transform",
            Self::ResponseCompression => "http_response_compression",
            Self::LogCustomFields => "http_log_custom_fields",
        }
    }

    /// The phase of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }

    /// What is known when it runs, and so what its expressions may ask for: phases of security come once as much of the
    /// body as rules look at was read.
    pub const fn stage(self) -> Stage {
        match self {
            Self::FirewallCustom | Self::Ratelimit | Self::FirewallManaged => Stage::Body,
            Self::CustomErrors | Self::ResponseHeadersTransform | Self::ResponseCompression | Self::LogCustomFields => {
                Stage::Response
            }
            Self::DynamicRedirect
            | Self::RequestTransform
            | Self::ConfigSettings
            | Self::Origin
            | Self::Redirect
            | Self::LateTransform
            | Self::CacheSettings => Stage::Request,
        }
    }

    /// Whether it runs once there is an answer.
    pub const fn is_of_response(self) -> bool {
        matches!(
            self,
            Self::CustomErrors | Self::ResponseHeadersTransform | Self::ResponseCompression | Self::LogCustomFields
        )
    }
}
