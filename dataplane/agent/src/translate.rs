//! A node program in the words of the proxy and of the packet filter.
//!
//! Errors: what cannot be said in those words is left out and told, one sentence each; the rest is served.

use std::{collections::BTreeMap, net::SocketAddr};

use fairway_core::ids::Key;
use fairway_l4::{
    Affinity, Endpoint as Target, Frontend, Place, Protocol as Transport, Ruleset, Service, TrafficPolicy,
};
use fairway_l7::{
    Action, Certificates, Credential, Endpoint, FixedResponse, HostPattern, PathPattern, Protocol, Redirect,
    RouteTable, Scheme, TableBuilder, TableError, Upstream,
};
use fairway_metal::program::{self, Path, Serve};

/// Where certificates come from.
pub(crate) trait Credentials {
    /// What clients of a host with this Secret get.
    fn credential(&self, secret: &Key) -> Credential;
}

/// The table of the proxy: `serve` on the sockets of its frontends. A frontend without socket is left out.
pub(crate) fn table(
    serve: &BTreeMap<SocketAddr, Serve>,
    sockets: &BTreeMap<SocketAddr, SocketAddr>,
    credentials: &dyn Credentials,
    default_certificate: Option<&Key>,
) -> (RouteTable, Vec<String>) {
    let mut listeners = Listeners { builder: RouteTable::builder(), problems: Vec::new() };
    for (frontend, serve) in serve {
        if let Some(socket) = sockets.get(frontend) {
            let protocol = listeners.protocol(*frontend, serve, credentials, default_certificate);
            if let Err(error) = listeners.add(*frontend, *socket, protocol, serve) {
                listeners.tell(*frontend, "it", &error);
            }
        }
    }
    (listeners.builder.build(), listeners.problems)
}

struct Listeners {
    builder: TableBuilder,
    problems: Vec<String>,
}

impl Listeners {
    fn tell(&mut self, frontend: SocketAddr, what: &str, error: &TableError) {
        self.problems.push(format!("{frontend}: {what} is not served: {error}"));
    }

    fn protocol(
        &mut self,
        frontend: SocketAddr,
        serve: &Serve,
        credentials: &dyn Credentials,
        default: Option<&Key>,
    ) -> Protocol {
        if !serve.tls {
            return Protocol::Plain;
        }
        let mut certificates = Certificates::default();
        if let Some(default) = default {
            certificates.set(&HostPattern::Any, credentials.credential(default));
        }
        for certificate in &serve.certificates {
            match HostPattern::parse(&certificate.host) {
                Ok(host) => drop(certificates.set(&host, credentials.credential(&certificate.secret))),
                Err(error) => self.tell(frontend, "a certificate", &error),
            }
        }
        Protocol::Tls(certificates)
    }

    fn add(
        &mut self,
        frontend: SocketAddr,
        socket: SocketAddr,
        protocol: Protocol,
        serve: &Serve,
    ) -> Result<(), TableError> {
        self.builder.listen(socket, protocol)?.public_port(socket, frontend.port())?;
        for route in &serve.routes {
            if let Err(error) = self.route(socket, route) {
                self.tell(frontend, "a route", &error);
            }
        }
        if let Some(default) = &serve.default {
            self.builder.default_action(socket, action(default)?)?;
        }
        Ok(())
    }

    fn route(&mut self, socket: SocketAddr, route: &program::Route) -> Result<(), TableError> {
        let host = HostPattern::parse(route.host.as_deref().unwrap_or_default())?;
        let path = match &route.path {
            Path::Exact(path) => PathPattern::exact(path)?,
            Path::Prefix(path) => PathPattern::prefix(path)?,
        };
        self.builder.route(socket, &host, &path, action(&route.action)?).map(drop)
    }
}

fn action(action: &program::Action) -> Result<Action, TableError> {
    Ok(match action {
        program::Action::Forward(endpoints) => {
            let endpoint = |address: &SocketAddr| Endpoint { address: *address, weight: 1 };
            Action::Forward(Upstream::new(endpoints.iter().map(endpoint)))
        }
        program::Action::RedirectToTls(port) => {
            Action::Redirect(Redirect::new(301)?.to_scheme(Scheme::Https).to_port(*port))
        }
        program::Action::Status(status) => Action::Fixed(FixedResponse::new(*status, "text/plain", "")?),
    })
}

/// The rules that lead the clients that `serve` lets in from each frontend to its socket, and nobody else there.
pub(crate) fn ruleset(
    serve: &BTreeMap<SocketAddr, Serve>,
    sockets: &BTreeMap<SocketAddr, SocketAddr>,
) -> (Ruleset, Vec<String>) {
    let (mut ruleset, mut problems) = (Ruleset::default(), Vec::new());
    for (frontend, serve) in serve {
        let Some(socket) = sockets.get(frontend) else { continue };
        let at = Frontend { address: frontend.ip(), protocol: Transport::Tcp, port: frontend.port() };
        let service = Service {
            endpoints: [Target { address: *socket, place: Place::Here }].into(),
            // The proxy sees the client's own address.
            policy: TrafficPolicy::Local,
            affinity: Affinity::None,
            sources: serve.sources.iter().copied().collect(),
        };
        match ruleset.add(at, service) {
            Ok(()) => ruleset.keep_private(*socket),
            Err(error) => problems.push(error.to_string()),
        }
    }
    (ruleset, problems)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use fairway_metal::program::{Certificate, Route};

    use super::*;

    struct Nothing;

    impl Credentials for Nothing {
        fn credential(&self, _: &Key) -> Credential {
            Credential::Refuse
        }
    }

    fn socket(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn route(host: &str, path: &str, action: program::Action) -> Route {
        Route { host: Some(host.to_owned()), path: Path::Prefix(path.to_owned()), action }
    }

    fn translate(serve: Serve) -> (RouteTable, Vec<String>) {
        let (frontend, local) = (socket("192.0.2.1:80"), socket("127.0.0.1:3000"));
        table(&BTreeMap::from([(frontend, serve)]), &BTreeMap::from([(frontend, local)]), &Nothing, None)
    }

    #[test]
    fn one_bad_route_leaves_the_others_in_place() {
        let forward = program::Action::Forward(BTreeSet::from([socket("10.0.0.1:8080")]));
        let routes = vec![
            route("bad_host!.example.com", "/", forward.clone()),
            route("a.example.com", "no-slash", forward.clone()),
            route("a.example.com", "/x", forward),
        ];
        let default = Some(program::Action::Status(404));
        let (table, problems) = translate(Serve { routes, default, ..Serve::default() });
        assert_eq!(problems.len(), 2, "{problems:?}");
        let listener = table.listener(&socket("127.0.0.1:3000")).unwrap();
        assert!(matches!(listener.action("a.example.com", b"/x/y"), Some(Action::Forward(_))));
        assert!(matches!(listener.action("a.example.com", b"/y"), Some(Action::Fixed(_))));
        assert_eq!(table.endpoints().collect::<Vec<_>>(), [socket("10.0.0.1:8080")]);
    }

    #[test]
    fn a_redirect_leads_to_the_public_port() {
        let serve = |port| Serve { default: Some(program::Action::RedirectToTls(port)), ..Serve::default() };
        let want = |port| Redirect::new(301).unwrap().to_scheme(Scheme::Https).to_port(port);
        for port in [443, 8443] {
            let (table, _) = translate(serve(port));
            let listener = table.listener(&socket("127.0.0.1:3000")).unwrap();
            match listener.action("any.example.com", b"/") {
                Some(Action::Redirect(redirect)) => assert_eq!(*redirect, want(port)),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_certificate_for_an_impossible_host_is_told() {
        let bad = Certificate { host: "a b".into(), secret: Key::new("n", "s") };
        let (table, problems) = translate(Serve { tls: true, certificates: vec![bad], ..Serve::default() });
        assert_eq!(problems, ["192.0.2.1:80: a certificate is not served: \"a b\" is not a host name"]);
        assert_eq!(table.addresses().count(), 1);
    }

    #[test]
    fn each_frontend_leads_to_its_own_private_socket() {
        let sockets = BTreeMap::from([
            (socket("192.0.2.1:80"), socket("10.0.0.11:3000")),
            (socket("[2001:db8::1]:80"), socket("10.0.0.11:3001")),
        ]);
        let sources = BTreeSet::from(["192.0.2.128/25".parse().unwrap()]);
        let serve = sockets
            .keys()
            .map(|frontend| (*frontend, Serve { sources: sources.clone(), ..Serve::default() }));
        let mut serve: BTreeMap<_, _> = serve.collect();
        serve.insert(socket("192.0.2.1:81"), Serve::default());
        let (ruleset, problems) = ruleset(&serve, &sockets);
        assert_eq!(problems.len(), 1, "families do not mix: {problems:?}");
        assert_eq!(ruleset.private().collect::<Vec<_>>(), [&socket("10.0.0.11:3000")]);
        let services: Vec<_> = ruleset.services().collect();
        let [(frontend, service)] = services[..] else { panic!("{services:?}") };
        assert_eq!((frontend.port, &service.sources[..]), (80, &["192.0.2.128/25".parse().unwrap()][..]));
    }
}
