//! A page about requests: which ones its link says, what the store answers, and what stands around both.

use axum::response::Response;
use maud::{Markup, html};
use rayline_store::{QueryError, Source};

use super::controls;
use super::errors::unreadable;
use super::frame::{Page, Tab};
use crate::access::Who;
use crate::api::Shared;
use crate::control::now;
use crate::facts::{Unanswered, source};
use crate::login::see;
use crate::scope::Scope;

/// What pages about requests differ in.
pub(crate) struct View {
    pub(crate) tab: Tab,
    pub(crate) title: &'static str,
    pub(crate) path: &'static str,
    /// Keys of its link besides span and filters.
    pub(crate) own: &'static [&'static str],
    /// The call of the API that answers the same.
    pub(crate) api: fn(&Scope) -> String,
}

impl View {
    /// Answers a request for it: `read` asks the store, and `draw` makes of that what stands below span and filters.
    pub(crate) async fn answer<T: Send + 'static>(
        &self,
        shared: &Shared,
        who: &Who,
        pairs: &[(String, String)],
        read: impl FnOnce(&dyn Source, &Scope) -> Result<T, QueryError> + Send + 'static,
        draw: impl FnOnce(&Scope, Result<T, Unanswered>) -> Markup,
    ) -> Response {
        let Self { tab, title, path, own, api } = *self;
        if let Some(link) = controls::added(pairs, path) {
            return see(&link);
        }
        let now = now();
        let page = Page { tab, title, who, api: None, permalink: None, is_live: false, main: Markup::default() };
        let scope = match Scope::read(pairs, own, now) {
            Ok(scope) => scope,
            Err(wrong) => return Page { main: unreadable(&wrong), ..page }.answer(),
        };
        let asked = scope.clone();
        let seen = shared.desk.ask(move |store| read(source(store), &asked)).await;
        let main = html! { (controls::all(&scope, path, now)) (draw(&scope, seen)) };
        let (api, permalink) = (Some(api(&scope)), Some(scope.permalink(path)));
        Page { api, permalink, is_live: scope.is_live(), main, ..page }.answer()
    }
}
