//! `GET /api/analytics` and what else is asked of the store: the query model of `rayline-store`, translated.

use axum::extract::{Query as Pairs, State};
use axum::response::Response;
use rayline_store::{Answer, Dimension, Number, Query, Sum};
use serde_json::{Map, Value, json};

use super::Shared;
use crate::control::now;
use crate::envelope::success;
use crate::facts::{Unanswered, source};

/// `GET /api/analytics`
pub(super) async fn ask(State(shared): State<Shared>, Pairs(pairs): Pairs<Vec<(String, String)>>) -> Response {
    let query = match Query::from_pairs(pairs, now()) {
        Ok(query) => query,
        Err(wrong) => return Unanswered::Invalid(wrong).answer(),
    };
    let asked = query.clone();
    match shared.desk.ask(move |store| rayline_store::run(source(store), &asked)).await {
        Ok(answer) => success(to_json(&query, &answer)),
        Err(why) => why.answer(),
    }
}

/// An answer, with the question that it answers.
fn to_json(query: &Query, answer: &Answer) -> Value {
    let groups = answer.groups.iter().map(|group| {
        let key: Map<String, Value> =
            query.by.iter().zip(&group.key).map(|(by, value)| (by.name().to_owned(), value.as_str().into())).collect();
        let mut object = json!({ "key": key, "at": group.at.map(|at| at.to_seconds()) });
        extend(&mut object, sum(&group.sum, &query.quantiles));
        object
    });
    let groups: Vec<Value> = groups.collect();
    json!({
        "from": answer.span.from.to_seconds(),
        "to": answer.span.to.to_seconds(),
        "by": query.by.iter().map(|by| by.name()).collect::<Vec<_>>(),
        "step_seconds": query.step.map(|step| step.as_secs_f64()),
        "groups": groups,
        "others": answer.others.as_ref().map(|others| sum(others, &query.quantiles)),
        "total": sum(&answer.total, &query.quantiles),
        "table": answer.table.name(),
        "rows": answer.rows,
    })
}

fn sum(sum: &Sum, quantiles: &[(Number, f64)]) -> Value {
    let quantiles: Vec<Value> = quantiles
        .iter()
        .zip(&sum.quantiles)
        .map(|((number, share), value)| json!({ "number": number.name(), "quantile": share, "value": value }))
        .collect();
    json!({
        "requests": sum.requests,
        "requests_error": sum.error,
        "failed": sum.failed,
        "response_bytes": sum.bytes,
        "quantiles": quantiles,
    })
}

fn extend(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}

/// `GET /api/dimensions`: what requests are told apart by, and what is measured of them.
pub(super) async fn dimensions() -> Response {
    let dimensions = Dimension::ALL.map(|dimension| {
        json!({
            "name": dimension.name(),
            "field": dimension.field(),
            "exact": dimension.is_rolled_up(),
            "doc": dimension.doc(),
        })
    });
    let numbers = Number::ALL.map(|number| {
        json!({ "name": number.name(), "field": number.field(), "unit": if number.is_time() { "us" } else { "bytes" }, "doc": number.doc() })
    });
    success(json!({ "dimensions": dimensions, "numbers": numbers }))
}
