//! Who writes logs: the servers, languages and databases whose lines are known.
//!
//! A source says who wrote a line, not how the line is laid out: that is the formats' matter.

use std::fmt;

/// Who wrote a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// nginx, or a server built from it.
    Nginx,
    /// Apache HTTP Server.
    Apache,
    /// PHP's process manager.
    PhpFpm,
    /// PHP itself.
    Php,
    /// Caddy.
    Caddy,
    /// HAProxy.
    HaProxy,
    /// Node.js, or a process manager that runs it.
    Node,
    /// A Python application.
    Python,
    /// Gunicorn.
    Gunicorn,
    /// uWSGI.
    Uwsgi,
    /// A Java application.
    Java,
    /// Apache Tomcat.
    Tomcat,
    /// A Ruby application.
    Ruby,
    /// A Go program.
    Go,
    /// A .NET application.
    DotNet,
    /// MySQL or MariaDB.
    MySql,
    /// PostgreSQL.
    PostgreSql,
    /// Redis, or a server that speaks like it.
    Redis,
    /// The Linux kernel.
    Kernel,
    /// systemd.
    Systemd,
    /// Docker, or what a container wrote.
    Docker,
    /// A Rayline edge.
    Rayline,
    /// Nobody that is known.
    #[default]
    Unknown,
}

impl Source {
    /// Whether it is an application or what runs one, rather than a server, a database or the machine.
    pub(super) const fn is_application(self) -> bool {
        match self {
            Self::Node
            | Self::Python
            | Self::Gunicorn
            | Self::Uwsgi
            | Self::Java
            | Self::Tomcat
            | Self::Ruby
            | Self::Go
            | Self::DotNet
            | Self::Docker
            | Self::Unknown => true,
            Self::Nginx
            | Self::Apache
            | Self::PhpFpm
            | Self::Php
            | Self::Caddy
            | Self::HaProxy
            | Self::MySql
            | Self::PostgreSql
            | Self::Redis
            | Self::Kernel
            | Self::Systemd
            | Self::Rayline => false,
        }
    }

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Apache => "Apache",
            Self::PhpFpm => "PHP-FPM",
            Self::Php => "PHP",
            Self::Caddy => "Caddy",
            Self::HaProxy => "HAProxy",
            Self::Node => "Node.js",
            Self::Python => "Python",
            Self::Gunicorn => "Gunicorn",
            Self::Uwsgi => "uWSGI",
            Self::Java => "Java",
            Self::Tomcat => "Tomcat",
            Self::Ruby => "Ruby",
            Self::Go => "Go",
            Self::DotNet => ".NET",
            Self::MySql => "MySQL",
            Self::PostgreSql => "PostgreSQL",
            Self::Redis => "Redis",
            Self::Kernel => "kernel",
            Self::Systemd => "systemd",
            Self::Docker => "Docker",
            Self::Rayline => "Rayline",
            Self::Unknown => "log",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
