use std::rc::Rc;
use std::time::UNIX_EPOCH;

use super::*;
use crate::logs::entry::Facts;

fn at(seconds: f64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs_f64(1_795_255_200.0 + seconds)
}

fn request(seconds: f64, target: &str, ray: Option<&str>) -> Request {
    Request {
        at: at(seconds),
        took: Duration::from_millis(200),
        method: "GET".to_owned(),
        path_and_query: target.to_owned(),
        host: "shop.example".to_owned(),
        status: Some(502),
        ray_id: ray.map(str::to_owned),
        client: None,
        body_bytes: None,
    }
}

fn line(seconds: f64, target: &str, status: u16, tie: Tie) -> Line {
    let facts = Facts {
        method: Some("GET".to_owned()),
        target: Some(target.to_owned()),
        status: Some(status),
        client: Some("192.0.2.1".parse().unwrap()),
        ..Facts::default()
    };
    let found = (Rc::new("access.log".into()), 1);
    Line { found, line: String::new(), at: Some(at(seconds)), kind: Kind::Access, process: None, facts, tie }
}

fn likelihoods(lines: &[Line], requests: &[Request], skew: f64) -> Vec<f64> {
    let mut by_line = vec![0.0; lines.len()];
    for (index, likelihood, _) in join(lines, requests, skew) {
        by_line[index] = likelihood;
    }
    by_line
}

#[test]
fn a_ray_id_proves_its_line_and_rules_out_others() {
    let requests = [request(0.0, "/cart", Some("8f1d2c3b4a596877-FRA"))];
    let lines = [line(0.0, "/cart", 502, Tie::Line(0)), line(3.0, "/cart", 502, Tie::Ray(0))];
    assert_eq!(likelihoods(&lines, &requests, 0.0), [0.0, BY_RAY]);
}

#[test]
fn lines_that_match_as_well_share_the_likelihood() {
    let requests = [request(0.0, "/cart", None)];
    let alone = [line(0.0, "/cart", 502, Tie::Line(0))];
    assert!(likelihoods(&alone, &requests, 0.0)[0] > 0.9);
    let two = [line(0.0, "/cart", 502, Tie::Line(0)), line(0.5, "/cart", 502, Tie::Line(0))];
    assert!(likelihoods(&two, &requests, 0.0).iter().all(|likelihood| (0.4..0.5).contains(likelihood)));
    // As many requests as lines: each line is one of theirs.
    let both = [request(0.0, "/cart", None), request(0.5, "/cart", None)];
    assert!(likelihoods(&two, &both, 0.0).iter().all(|likelihood| *likelihood > 0.9));
}

#[test]
fn what_differs_makes_a_line_less_likely() {
    let requests = [request(0.0, "/cart?a=1", None)];
    let of = |line: Line| likelihoods(&[line], &requests, 0.0)[0];
    let same = of(line(0.0, "/cart?a=1", 502, Tie::Line(0)));
    for other in [
        line(30.0, "/cart?a=1", 502, Tie::Line(0)),
        line(0.0, "/cart?a=2", 502, Tie::Line(0)),
        line(0.0, "/cart?a=1", 200, Tie::Line(0)),
        line(0.0, "/cart?a=1", 500, Tie::Line(0)),
    ] {
        assert!(of(other) < same);
    }
}

#[test]
fn the_clocks_difference_is_found_and_taken_off() {
    let requests = [request(0.0, "/a", None), request(10.0, "/b", None), request(20.0, "/c", None)];
    let lines =
        [line(40.3, "/a", 502, Tie::Line(0)), line(50.4, "/b", 502, Tie::Line(1)), line(60.2, "/c", 502, Tie::Line(2))];
    let skew = skew(&lines, &requests).unwrap();
    assert!((40.0..40.3).contains(&skew), "{skew}");
    assert!(likelihoods(&lines, &requests, 0.0).iter().all(|likelihood| *likelihood < 0.5));
    assert!(likelihoods(&lines, &requests, skew).iter().all(|likelihood| *likelihood > 0.9));
}

#[test]
fn differences_that_disagree_tell_nothing() {
    let requests = [request(0.0, "/a", None), request(10.0, "/b", None)];
    let lines = [line(40.0, "/a", 502, Tie::Line(0)), line(20.0, "/b", 502, Tie::Line(1))];
    assert_eq!(skew(&lines, &requests), None);
    assert_eq!(skew(&lines[..1], &requests), None);
}

#[test]
fn an_event_of_the_same_request_goes_with_its_proven_line() {
    let requests = [request(0.0, "/cart", Some("8f1d2c3b4a596877"))];
    let event = Line { kind: Kind::Event, ..line(30.0, "/cart", 502, Tie::Line(0)) };
    let lines = [line(30.0, "/cart", 502, Tie::Ray(0)), event];
    assert_eq!(likelihoods(&lines, &requests, 0.0), [BY_RAY, MOST]);
}
