package outbound

import (
	"net/netip"
	"slices"
)

// refused4 are the IPv4 ranges that are not the public internet (IANA special-purpose registry, RFC 6890), and
// one public address that Azure gives to its host agent.
var refused4 = prefixes(
	"0.0.0.0/8",        // this network
	"10.0.0.0/8",       // private
	"100.64.0.0/10",    // carrier-grade NAT; Alibaba's metadata
	"127.0.0.0/8",      // loopback
	"168.63.129.16/32", // Azure's host agent
	"169.254.0.0/16",   // link-local; metadata of most clouds
	"172.16.0.0/12",    // private
	"192.0.0.0/24",     // protocol assignments; Oracle's metadata
	"192.0.2.0/24",     // documentation
	"192.88.99.0/24",   // 6to4 relays, withdrawn
	"192.168.0.0/16",   // private
	"198.18.0.0/15",    // benchmarks
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"224.0.0.0/4",      // multicast
	"240.0.0.0/4",      // reserved, broadcast
)

// refused6 are the special ranges inside the global unicast range; everything outside of it is refused anyway:
// loopback, unspecified, unique local, link-local, multicast, local NAT64.
var refused6 = prefixes(
	"2001:2::/48",   // benchmarks
	"2001:10::/28",  // ORCHID
	"2001:20::/28",  // ORCHIDv2
	"2001:db8::/32", // documentation
	"3fff::/20",     // documentation
)

// global6 is the global unicast range.
var global6 = prefixes("2000::/3")

// carriers are the IPv6 ranges that carry IPv4 addresses, and where.
var carriers = []struct {
	within  []netip.Prefix
	carried func(b [16]byte) []netip.Addr
}{
	{prefixes("64:ff9b::/96"), func(b [16]byte) []netip.Addr { return four(b[12:]) }}, // NAT64, RFC 6052
	{prefixes("2002::/16"), func(b [16]byte) []netip.Addr { return four(b[2:6]) }},    // 6to4, RFC 3056
	{prefixes("2001::/32"), func(b [16]byte) []netip.Addr { // Teredo, RFC 4380: server, and client inverted
		return four(b[4:8], []byte{^b[12], ^b[13], ^b[14], ^b[15]})
	}},
}

func prefixes(all ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(all))
	for i, s := range all {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// Public tells whether an address belongs to the public internet. An IPv6 address that carries an IPv4 address is
// judged by that one.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if a.Is4() {
		return !in(refused4, a)
	}
	if !a.Is6() || a.Zone() != "" {
		return false
	}
	b := a.As16()
	for _, c := range carriers {
		if in(c.within, a) {
			return all(c.carried(b))
		}
	}
	if !in(global6, a) || in(refused6, a) {
		return false
	}
	return !isatap(b) || all(four(b[12:]))
}

// isatap addresses (RFC 5214) have 0000:5efe or 0200:5efe before the IPv4 address.
func isatap(b [16]byte) bool { return b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe }

func four(each ...[]byte) []netip.Addr {
	var out []netip.Addr
	for _, b := range each {
		out = append(out, netip.AddrFrom4([4]byte(b)))
	}
	return out
}

// all tells whether every address is public.
func all(list []netip.Addr) bool {
	return !slices.ContainsFunc(list, func(a netip.Addr) bool { return !Public(a) })
}

func in(list []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}
