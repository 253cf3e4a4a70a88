//! From where a request comes, for limits by address (ADR-045).

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use actix_web::dev::ServiceRequest;

/// Returns the address that a request comes from: the one that connected or, behind so many proxies of ours,
/// the one that called the first of them. Each adds to `X-Forwarded-For` whom it was called by; what stands before
/// that is the caller's own and believed by nobody. A caller with IPv6 has a network, and is known by that.
pub(crate) fn origin(request: &ServiceRequest, proxies: u32) -> Option<IpAddr> {
    let peer = request.peer_addr().map(|peer| peer.ip());
    let forwarded = || {
        let lines = request.headers().get_all("X-Forwarded-For");
        let entries: Vec<_> = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).collect();
        let place = entries.len().checked_sub(usize::try_from(proxies).ok()?)?;
        address(std::str::from_utf8(entries.get(place)?).ok()?.trim())
    };
    // Through a proxy that does not say by whom it was called it is the one that connected. Whoever comes past the
    // proxies is believed like one of them: nobody may be able to.
    let address = if proxies == 0 { peer } else { forwarded().or(peer) };
    address.map(network)
}

/// Reads an address; some proxies write the port as well.
fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
}

/// Returns what a caller cannot leave as it likes: its address or, with IPv6, the first half of it.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
        ip @ IpAddr::V4(_) => ip,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    /// Returns where a request comes from that 192.0.2.1 passes on with these lines.
    fn found(proxies: u32, lines: &[&[u8]]) -> String {
        let mut request = TestRequest::default().peer_addr("192.0.2.1:7".parse().unwrap());
        for line in lines {
            let line = actix_web::http::header::HeaderValue::from_bytes(line).unwrap();
            request = request.append_header(("x-forwarded-for", line));
        }
        origin(&request.to_srv_request(), proxies).unwrap().to_string()
    }

    #[test]
    fn only_what_our_own_proxies_say_is_believed() {
        for (proxies, lines, expected) in [
            (0, [b"203.0.113.7".as_slice()].as_slice(), "192.0.2.1"),
            (1, &[b"203.0.113.7"], "203.0.113.7"),
            (1, &[b"198.51.100.9, 203.0.113.7"], "203.0.113.7"),
            (1, &[b"198.51.100.9", b"203.0.113.7"], "203.0.113.7"),
            (1, &[b"\xff\xfe, 203.0.113.7:4711"], "203.0.113.7"),
            (2, &[b"198.51.100.9, 203.0.113.7, 192.0.2.2"], "203.0.113.7"),
            (2, &[b"192.0.2.2"], "192.0.2.1"),
            (1, &[], "192.0.2.1"),
            (1, &[b"203.0.113.7, unknown"], "192.0.2.1"),
            (1, &[b"203.0.113.7,"], "192.0.2.1"),
        ] {
            assert_eq!(found(proxies, lines), expected, "{proxies} {lines:?}");
        }
    }

    #[test]
    fn a_caller_with_ipv6_is_a_network() {
        for (text, expected) in [
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("[2001:db8:1:2:ffff::1]:443", "2001:db8:1:2::"),
            ("2001:db8:1:3::", "2001:db8:1:3::"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
        ] {
            assert_eq!(found(1, &[text.as_bytes()]), expected, "{text}");
        }
    }
}
