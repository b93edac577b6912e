//! What `/proc` and the programs say, in their own words; and this machine as it is.

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::probe::Unwatched;

const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1474 1 00000000cf03535f 100 0 0 10 0
   1: 0100007F:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 27206329 1 000000000b319e3c 100 0 0 10 0
   2: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 5 1 000000000b319e3c 20 0 0 10 0
";

const TCP6: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 99 1 0000000000000000 100 0 0 10 0
";

fn listener(address: &str) -> Listener {
    Listener { address: address.parse().unwrap(), program: Some(("nginx".to_owned(), 7)), backlog: None }
}

fn causes(part: &Part) -> Vec<(Cause, f64)> {
    part.troubles.iter().map(|named| (named.cause, named.likelihood)).collect()
}

#[cfg(target_endian = "little")]
#[test]
fn listening_sockets_are_read() {
    let sockets = listeners::parse(TCP);
    let read: Vec<(String, u64)> = sockets.iter().map(|socket| (socket.address.to_string(), socket.inode)).collect();
    assert_eq!(read, [("0.0.0.0:2024".to_owned(), 1474), ("127.0.0.1:443".to_owned(), 27_206_329)]);
    assert_eq!(listeners::parse(TCP6)[0].address, "[::1]:80".parse().unwrap());
}

#[test]
fn nobody_or_loopback_alone_is_a_trouble() {
    let part = listeners::judge(&[80, 443], Vec::new());
    assert_eq!(causes(&part), [(Cause::HostNotListening, 0.9), (Cause::HostNotListening, 0.9)]);
    assert_eq!(part.probes[0].ok, Some(false));

    let part = listeners::judge(&[443], vec![listener("127.0.0.1:443"), listener("[::1]:443")]);
    assert_eq!(causes(&part), [(Cause::HostListensOnLoopback, 0.85)]);
    assert_eq!(
        part.troubles[0].sentence,
        "port 443 is open to the machine itself alone: 127.0.0.1:443, [::1]:443 by `nginx` (7)"
    );

    let part = listeners::judge(&[443], vec![listener("127.0.0.1:443"), listener("[::]:443")]);
    assert!(part.troubles.is_empty());
    assert_eq!(part.probes[0].said, "port 443: open by `nginx` (7)");

    // One of two ports will do for an edge that uses that one.
    assert_eq!(causes(&listeners::judge(&[80, 443], vec![listener("0.0.0.0:443")])), [(Cause::HostNotListening, 0.3)]);
}

#[test]
fn a_full_queue_is_a_trouble() {
    let full = |waiting| Listener { backlog: Some((waiting, 128)), ..listener("0.0.0.0:443") };
    assert!(listeners::judge(&[443], vec![full(3)]).troubles.is_empty());
    assert_eq!(causes(&listeners::judge(&[443], vec![full(129)])), [(Cause::ServerPoolExhausted, 0.8)]);
    let text = "TcpExt: A ListenOverflows ListenDrops\nTcpExt: 1 22 23\nIpExt: A\nIpExt: 9\n";
    assert_eq!(listeners::counter(text, "TcpExt", "ListenOverflows"), Some(22));
    assert_eq!(listeners::counter(text, "TcpExt", "Other"), None);
    assert!(listeners::overflowing(Some(0), Some(0)).is_none());
    assert!(listeners::overflowing(Some(22), Some(22)).unwrap().likelihood < 0.2);
    assert!(listeners::overflowing(Some(22), Some(30)).unwrap().likelihood > 0.7);
}

#[test]
fn full_disks_are_a_trouble() {
    let room = |free_bytes, free_files| disk::Room {
        bytes: 1 << 30,
        free_bytes,
        files: 1000,
        free_files,
        is_read_only: false,
    };
    assert!(disk::judge([("/", room(1 << 29, 500))].into_iter()).troubles.is_empty());
    assert_eq!(causes(&disk::judge([("/var", room(0, 500))].into_iter())), [(Cause::HostDiskFull, 0.8)]);
    assert_eq!(causes(&disk::judge([("/var", room(15 << 20, 500))].into_iter())), [(Cause::HostDiskFull, 0.3)]);
    assert_eq!(causes(&disk::judge([("/var", room(1 << 29, 0))].into_iter())), [(Cause::HostDiskFull, 0.8)]);
    let image = disk::Room { is_read_only: true, ..room(0, 0) };
    assert!(disk::judge([("/snap", image)].into_iter()).troubles.is_empty());
}

#[test]
fn memory_and_groups_are_read() {
    let meminfo = |available: u64| {
        format!(
            "MemTotal:       24684084 kB\nMemFree:  9 kB\nMemAvailable: {available} kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"
        )
    };
    assert!(memory::judge(&meminfo(20_000_000), "5.55 4.76 3.96 6/166 26164").troubles.is_empty());
    assert_eq!(causes(&memory::judge(&meminfo(100_000), "")), [(Cause::HostOutOfMemory, 0.4)]);
    assert_eq!(memory::judge("", "").unseen.len(), 1);
    assert_eq!(memory::kills("low 0\nhigh 0\nmax 17\noom 3\noom_kill 2\noom_group_kill 0\n"), 2);
    assert_eq!(memory::kills("oom_kill_disable 0\nunder_oom 0\noom_kill 4\n"), 4);

    let root = tempfile::tempdir().unwrap();
    let group = root.path().join("system.slice/shop.service");
    std::fs::create_dir_all(&group).unwrap();
    std::fs::write(group.join("memory.events"), "oom 1\noom_kill 1\n").unwrap();
    std::fs::write(root.path().join("memory.events"), "oom_kill 5\n").unwrap();
    let killed = memory::killed(root.path());
    assert_eq!(killed.len(), 1);
    assert!(killed[0].sentence.contains("`system.slice/shop.service`"), "{}", killed[0].sentence);
}

#[test]
fn the_kernels_messages_are_named_by_their_age() {
    let booted = UNIX_EPOCH + Duration::from_secs(1_000_000);
    let record = "3,1234,5000000,-;Out of memory: Killed process 77 (mysqld) total-vm:1kB, anon-rss:2kB, file-rss:0kB\n SUBSYSTEM=x\n";
    let (time, message) = kernel::kmsg(record, booted).unwrap();
    assert_eq!(time, Some(booted + Duration::from_secs(5)));
    assert!(message.ends_with("file-rss:0kB"));
    assert_eq!(kernel::kmsg("30,1234,5000000,-;systemd[1]: started", booted), None);
    assert_eq!(
        kernel::journal_line("1000005.500000 origin kernel: nf_conntrack: nf_conntrack: table full, dropping packet")
            .unwrap()
            .1,
        "nf_conntrack: nf_conntrack: table full, dropping packet"
    );
    let records = vec![(time, message.clone()), (time, message), (None, "eth0: link up".to_owned())];
    let of = |after: u64, runs: bool| kernel::judge(&records, booted + Duration::from_secs(after), &|_| runs);
    let part = of(60, true);
    assert_eq!(causes(&part), [(Cause::HostOutOfMemory, 0.7)]);
    assert_eq!(part.troubles[0].count, 2);
    // Later on, a kill explains something only where what was killed is still missing.
    assert_eq!(causes(&of(300, true))[0].1, 0.2);
    assert_eq!(causes(&of(300, false))[0].1, 0.5);
    assert_eq!(causes(&of(7_200, false))[0].1, 0.3);
    assert_eq!(causes(&of(7_200, true))[0].1, 0.05);
    let other = [(time, "Out of memory: Killed process 77 (backup) total-vm:1kB".to_owned())];
    let other = kernel::judge(&other, booted + Duration::from_secs(300), &|_| false);
    assert_eq!(causes(&other)[0].1, 0.2, "nobody is served by it");
    let full = [(time, "nf_conntrack: nf_conntrack: table full, dropping packet".to_owned())];
    let full = kernel::judge(&full, booted + Duration::from_secs(7_200), &|_| true);
    assert_eq!(causes(&full), [(Cause::HostConntrackFull, 0.2)]);
}

#[test]
fn failed_services_are_named_and_housekeeping_is_not() {
    let text = "Id=nginx.service\nNRestarts=0\nResult=success\nActiveState=active\nSubState=running\n
Id=php8.2-fpm.service\nNRestarts=0\nResult=oom-kill\nActiveState=failed\nSubState=failed\n
Id=shop.service\nNRestarts=12\nResult=success\nActiveState=active\nSubState=running\n
Id=logrotate.service\nNRestarts=0\nResult=exit-code\nActiveState=failed\nSubState=failed\n";
    let part = services::judge(text);
    assert_eq!(causes(&part), [(Cause::HostOutOfMemory, 0.5), (Cause::ServerStopped, 0.2)]);
    assert_eq!(part.troubles[1].sentence, "`shop.service` ended and was started again 12 times");
    assert!(services::judge("").probes.is_empty());
}

#[test]
fn limits_are_read() {
    let limits = "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 524288               files     \n";
    assert_eq!(limits::open_files(limits), Some(1024));
    assert_eq!(limits::open_files("Max open files            unlimited   unlimited  files"), None);
    assert_eq!(limits::machine_files("1119\t0\t2466170\n"), Some((1119, 2_466_170)));
}

#[tokio::test(flavor = "current_thread")]
async fn this_machine_is_looked_at() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let host = look(&[address.port()], &[], &Unwatched).await;
    let found = host.listeners.iter().find(|listener| listener.address == address).unwrap();
    assert_eq!(found.program.as_ref().map(|(_, pid)| *pid), Some(std::process::id()));
    let named = host.troubles.iter().find(|named| named.cause == Cause::HostListensOnLoopback).unwrap();
    assert!(named.sentence.contains(&address.to_string()), "{}", named.sentence);
    for name in
        ["host.listeners", "host.firewall", "host.disk", "host.memory", "host.kernel", "host.limits", "host.clock"]
    {
        assert!(host.probes.iter().any(|probe| probe.name == name), "{name}");
    }
    assert!(host.troubles.windows(2).all(|pair| pair[0].likelihood >= pair[1].likelihood));
    // The kernel's socket monitor says how long the queue may be, where it may be asked.
    if let Some((waiting, most)) = found.backlog {
        assert!(waiting == 0 && most > 0, "{waiting} of {most}");
    }
}
