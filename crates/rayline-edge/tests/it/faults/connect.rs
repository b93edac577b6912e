//! The TCP connection to the origin.

use rayline_testkit::Script;

use crate::scene::{Blame, Scene};

#[tokio::test]
async fn refused() {
    let scene = Scene::with(Script::refuse()).start();
    scene.blames(Blame::page("origin.connect.refused", 521).evidence(&["errno", "origin_address"])).await;
}

#[tokio::test]
async fn timed_out() {
    let scene = Scene::with(Script::backlog_full()).limit("connect_timeout", "300ms").start();
    scene.blames(Blame::page("network.connect.timed_out", 522).evidence(&["timer", "origin_address"])).await;
}
