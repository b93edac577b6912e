//! Tomcat: Debian's, with a base folder of its own and one web application of JSP pages.

use std::path::Path;
use std::process::Command;

use super::{Server, Unstarted, is_a_server};

/// Where Debian's packages keep it, the newest first.
const HOMES: [&str; 3] = ["/usr/share/tomcat11", "/usr/share/tomcat10", "/usr/share/tomcat9"];

/// No shutdown port, no session persistence, nothing unpacked: it starts in about two seconds.
const SERVER: &str = r#"
<Server port="-1">
  <Service name="Catalina">
    <Connector port="@HTTP_PORT@" address="127.0.0.1" protocol="HTTP/1.1" connectionTimeout="5000" keepAliveTimeout="1000"/>
    <Engine name="Catalina" defaultHost="localhost">
      <Host name="localhost" appBase="webapps" unpackWARs="false" autoDeploy="false"/>
    </Engine>
  </Service>
</Server>
"#;

/// The servlets for files and for JSP pages.
const WEB: &str = r#"
<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
  <servlet><servlet-name>default</servlet-name>
    <servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class></servlet>
  <servlet><servlet-name>jsp</servlet-name>
    <servlet-class>org.apache.jasper.servlet.JspServlet</servlet-class></servlet>
  <servlet-mapping><servlet-name>default</servlet-name><url-pattern>/</url-pattern></servlet-mapping>
  <servlet-mapping><servlet-name>jsp</servlet-name><url-pattern>*.jsp</url-pattern></servlet-mapping>
</web-app>
"#;

/// A running Tomcat. What it logs is in `printed.log` in its folder.
#[derive(Debug)]
pub struct Tomcat {
    server: Server,
}

is_a_server!(Tomcat);

impl Tomcat {
    /// Starts it with these pages, by file name.
    ///
    /// # Errors
    /// It is missing or does not start.
    pub fn start(pages: &[(&str, &str)]) -> Result<Self, Unstarted> {
        let mut homes = HOMES.into_iter().map(Path::new);
        let home = homes.find(|home| home.join("bin/catalina.sh").is_file()).ok_or_else(|| Unstarted::Missing {
            program: "tomcat".to_owned(),
            remedy: "Debian has it in the package `tomcat10-common`".to_owned(),
        })?;
        let server = Server::start(|place| {
            for folder in ["conf", "temp", "work", "webapps/ROOT"] {
                std::fs::create_dir_all(place.folder().join(folder))?;
            }
            place.write("conf/server.xml", SERVER)?;
            place.write("conf/web.xml", WEB)?;
            for (name, text) in pages {
                place.write(&format!("webapps/ROOT/{name}"), text)?;
            }
            let mut command = Command::new(home.join("bin/catalina.sh"));
            command.arg("run").env("CATALINA_HOME", home).env("CATALINA_BASE", place.folder());
            // The compiler that only tries once, and a small heap: the machine runs other tests at the same time.
            command.env("CATALINA_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx128m");
            Ok(command)
        })?;
        Ok(Self { server })
    }
}
