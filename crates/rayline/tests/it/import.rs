//! `rayline import`.

use crate::Dir;

const NGINX: &str = "server {\n  listen 8080;\n  server_name shop.example;\n  location / {\n    proxy_pass http://127.0.0.1:3000;\n    \
                     proxy_set_header Host $host;\n  }\n}\n";

#[test]
fn what_translates_goes_to_standard_output() {
    let dir = Dir::new();
    dir.file("shop.conf", NGINX);
    let toml = dir.run(&["import", "nginx", "shop.conf"]).fine();
    assert!(toml.contains("name = \"shop.example\"") && toml.contains("origin_http_port = 3000"), "{toml}");
    dir.file("rayline.toml", &toml);
    assert_eq!(dir.run(&["check"]).fine(), "rayline.toml: no problems\n");
}

#[test]
fn what_does_not_goes_to_standard_error() {
    let dir = Dir::new();
    dir.file("shop.conf", &NGINX.replace("location /", "root /srv;\n  location /"));
    let outcome = dir.run(&["import", "nginx", "shop.conf"]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.stdout.starts_with("[server]\n"), "{}", outcome.stdout);
    assert_eq!(outcome.stderr, "shop.conf:4: root /srv: this edge serves no files: let an origin do so\n");

    let outcome = dir.run(&["import", "--json", "nginx", "shop.conf"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (1, ""));
    let whole: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(whole["untranslated"][0]["place"], "shop.conf:4");
    assert!(whole["toml"].as_str().unwrap().contains("shop.example"));
}

#[test]
fn a_folder_stands_for_its_files() {
    let dir = Dir::new();
    std::fs::create_dir(dir.path().join("export")).unwrap();
    dir.file("export/zone.json", r#"{"result":{"name":"shop.example","name_servers":[]},"success":true}"#);
    dir.file(
        "export/records.json",
        r#"{"result":[{"type":"A","name":"shop.example","content":"192.0.2.1","proxied":true}],"success":true}"#,
    );
    dir.file("export/notes.txt", "not this one");
    let toml = dir.run(&["import", "cloudflare", "export"]).fine();
    assert!(toml.contains("content = \"192.0.2.1\""), "{toml}");
}

#[test]
fn what_is_not_there_cannot_be_translated() {
    let dir = Dir::new();
    let outcome = dir.run(&["import", "caddy", "Caddyfile"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (3, ""));
    assert!(outcome.stderr.starts_with("error: cannot read `Caddyfile`: No such file"), "{}", outcome.stderr);
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    assert_eq!(dir.run(&["import", "terraform", "empty"]).code, 3);
}
