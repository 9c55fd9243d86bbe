//! What an address leads to: the public internet, this machine, a private network, or nowhere that
//! a call may ever go. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Somewhere on the public internet.
    Public,
    /// This machine.
    Loopback,
    /// A network of the operator's.
    Private,
    /// Nowhere that a call may go, whoever configured it: clouds answer with credentials at
    /// link-local addresses, and some forms of IPv6 address hide an IPv4 address in them.
    Never,
}

/// Networks of IPv4 that are not public, from IANA's registry of special-purpose addresses.
const FOUR: &[([u8; 4], u8, Place)] = &[
    ([0, 0, 0, 0], 8, Place::Never), // this network; Linux takes 0.0.0.0 for loopback
    ([10, 0, 0, 0], 8, Place::Private), // RFC 1918
    ([100, 64, 0, 0], 10, Place::Private), // shared with the provider, and overlay networks
    ([127, 0, 0, 0], 8, Place::Loopback), //
    ([169, 254, 0, 0], 16, Place::Never), // link-local, where clouds keep their metadata
    ([172, 16, 0, 0], 12, Place::Private), // RFC 1918
    ([192, 0, 0, 0], 24, Place::Never), // protocol assignments
    ([192, 0, 2, 0], 24, Place::Never), // documentation
    ([192, 88, 99, 0], 24, Place::Never), // relays of 6to4
    ([192, 168, 0, 0], 16, Place::Private), // RFC 1918
    ([198, 18, 0, 0], 15, Place::Never), // benchmarks
    ([198, 51, 100, 0], 24, Place::Never), // documentation
    ([203, 0, 113, 0], 24, Place::Never), // documentation
    ([224, 0, 0, 0], 4, Place::Never), // multicast
    ([240, 0, 0, 0], 4, Place::Never), // reserved, and broadcast
];

/// Networks of IPv6 within `2000::/3`, the only part that is public, that are not.
const SIX: &[([u16; 2], u8)] = &[
    ([0x2001, 0x0000], 23), // protocol assignments: Teredo, ORCHID, benchmarks
    ([0x2001, 0x0db8], 32), // documentation
    ([0x2002, 0x0000], 16), // 6to4: an IPv4 address in disguise
    ([0x3fff, 0x0000], 20), // documentation
];

impl Place {
    /// Where `address` leads.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_four(address),
            IpAddr::V6(address) => Self::of_six(address),
        }
    }

    fn of_four(address: Ipv4Addr) -> Self {
        FOUR.iter()
            .find(|(network, length, _)| {
                let shift = 32 - u32::from(*length);
                address.to_bits() >> shift == u32::from_be_bytes(*network) >> shift
            })
            .map_or(Self::Public, |(_, _, place)| *place)
    }

    /// What is outside of `2000::/3` is named here or nowhere: mapped and compatible IPv4, NAT64,
    /// link-local, site-local and multicast all fall under the last arm.
    fn of_six(address: Ipv6Addr) -> Self {
        let segments = address.segments();
        if address == Ipv6Addr::LOCALHOST {
            return Self::Loopback;
        }
        if segments[0] & 0xfe00 == 0xfc00 {
            return Self::Private;
        }
        if segments[0] & 0xe000 != 0x2000 {
            return Self::Never;
        }
        let start = (u32::from(segments[0]) << 16) | u32::from(segments[1]);
        let hidden = SIX.iter().any(|(network, length)| {
            let shift = 32 - u32::from(*length);
            let network = (u32::from(network[0]) << 16) | u32::from(network[1]);
            start >> shift == network >> shift
        });
        if hidden { Self::Never } else { Self::Public }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::Place;

    /// First and last address of each network, and the nearest ones outside of it.
    const TABLE: &[(Place, &[&str])] = &[
        (
            Place::Public,
            &[
                "1.0.0.0",
                "9.255.255.255",
                "11.0.0.0",
                "100.63.255.255",
                "100.128.0.0",
                "126.255.255.255",
                "128.0.0.0",
                "169.253.255.255",
                "169.255.0.0",
                "172.15.255.255",
                "172.32.0.0",
                "191.255.255.255",
                "192.0.1.0",
                "192.0.3.0",
                "192.88.98.255",
                "192.88.100.0",
                "192.167.255.255",
                "192.169.0.0",
                "198.17.255.255",
                "198.20.0.0",
                "198.51.99.255",
                "198.51.101.0",
                "203.0.112.255",
                "203.0.114.0",
                "223.255.255.255",
                "93.184.216.34",
                "2000::",
                "2001:200::1",
                "2001:4860:4860::8888",
                "2001:db7:ffff::",
                "2001:db9::",
                "2003::1",
                "2606:4700::1111",
                "3ffe:ffff::",
                "3fff:1000::",
            ],
        ),
        (
            Place::Loopback,
            &["127.0.0.0", "127.0.0.1", "127.255.255.255", "::1"],
        ),
        (
            Place::Private,
            &[
                "10.0.0.0",
                "10.255.255.255",
                "100.64.0.0",
                "100.127.255.255",
                "172.16.0.0",
                "172.31.255.255",
                "192.168.0.0",
                "192.168.255.255",
                "fc00::",
                "fd12:3456::1",
                "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            ],
        ),
        (
            Place::Never,
            &[
                "0.0.0.0",
                "0.255.255.255",
                "169.254.0.0",
                "169.254.169.254",
                "169.254.255.255",
                "192.0.0.0",
                "192.0.0.255",
                "192.0.2.1",
                "192.88.99.1",
                "198.18.0.0",
                "198.19.255.255",
                "198.51.100.7",
                "203.0.113.7",
                "224.0.0.1",
                "239.255.255.255",
                "240.0.0.0",
                "255.255.255.254",
                "255.255.255.255",
                "::",
                "::2",
                "::127.0.0.1",
                "::8.8.8.8",
                "::ffff:127.0.0.1",
                "::ffff:8.8.8.8",
                "::ffff:0:8.8.8.8",
                "64:ff9b::8.8.8.8",
                "64:ff9b::7f00:1",
                "64:ff9b:1::1",
                "100::1",
                "1fff:ffff::",
                "2001::1",
                "2001:0:4136:e378::",
                "2001:1ff:ffff::",
                "2001:db8::1",
                "2002:7f00:1::",
                "2002:808:808::",
                "3fff::1",
                "3fff:fff::1",
                "4000::",
                "5f00::1",
                "fbff::1",
                "fe00::1",
                "fe80::1",
                "febf::1",
                "fec0::1",
                "ff02::1",
            ],
        ),
    ];

    #[test]
    fn n05_each_address_leads_where_the_registry_says() {
        for (place, addresses) in TABLE {
            for text in *addresses {
                let address: IpAddr = text.parse().unwrap();
                assert_eq!(Place::of(address), *place, "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn n05_no_form_of_ipv6_that_holds_an_ipv4_address_is_public(bits: u32) {
            let four = Ipv4Addr::from_bits(bits);
            let [a, b, c, d] = four.octets();
            let (high, low) = ((u16::from(a) << 8) | u16::from(b), (u16::from(c) << 8) | u16::from(d));
            for hidden in [
                four.to_ipv6_mapped(),
                Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !high, !low),
            ] {
                prop_assert_eq!(Place::of(IpAddr::V6(hidden)), Place::Never);
            }
            let compatible = Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low);
            prop_assert_ne!(Place::of(IpAddr::V6(compatible)), Place::Public);
        }

        #[test]
        fn n05_what_the_standard_library_calls_special_is_never_public(bits: u32) {
            let four = Ipv4Addr::from_bits(bits);
            let special = four.is_private() || four.is_loopback() || four.is_link_local()
                || four.is_multicast() || four.is_broadcast() || four.is_documentation()
                || four.is_unspecified();
            prop_assert!(!special || Place::of(IpAddr::V4(four)) != Place::Public);
        }
    }
}
