package outbound_test

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/outbound"
)

func TestPublic(t *testing.T) {
	for addr, want := range map[string]bool{
		"1.1.1.1": true, "149.154.167.220": true, "9.255.255.255": true, "11.0.0.0": true, "100.63.255.255": true,
		"100.128.0.0": true, "172.15.255.255": true, "172.32.0.0": true, "192.0.1.0": true, "198.17.255.255": true,
		"198.20.0.0": true, "223.255.255.255": true, "168.63.129.17": true,
		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "10.255.255.255": false, "100.64.0.1": false,
		"100.127.255.255": false, "100.100.100.200": false, "127.0.0.1": false, "127.255.255.254": false,
		"169.254.169.254": false, "172.16.0.1": false, "172.31.255.255": false, "192.0.0.192": false, "192.168.1.1": false,
		"198.18.0.1": false, "198.19.255.255": false, "224.0.0.1": false, "240.0.0.1": false, "255.255.255.255": false,
		"168.63.129.16": false, "192.0.2.1": false, "203.0.113.9": false,

		"2606:4700:4700::1111": true, "2a00:1450::1": true,
		"::": false, "::1": false, "::7f00:1": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false,
		"fdff::1": false, "fd00:ec2::254": false, "ff02::1": false, "fec0::1": false, "2001:db8::1": false,
		"64:ff9b:1::1": false, "100::1": false, "5f00::1": false, "4000::1": false,

		"::ffff:10.0.0.1": false, "::ffff:1.1.1.1": true,
		"64:ff9b::a00:1": false, "64:ff9b::101:101": true,
		"2002:a00:1::1": false, "2002:101:101::1": true, "2002:7f00:1::": false,
		"2001:0:101:101:0:0:f5ff:fffe": false, // Teredo: client 10.0.0.1
		"2001:0:a00:1:0:0:fefe:fefe":   false, // Teredo: server 10.0.0.1
		"2001:0:101:101:0:0:fefe:fefe": true,
		"2a00:1450::5efe:a00:1":        false, // ISATAP
		"2a00:1450::200:5efe:a00:1":    false,
	} {
		if got := outbound.Public(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: public is %v, want %v", addr, got, want)
		}
	}
	if outbound.Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

// TestEmbeddedAddressesAreJudgedAlike hides one IPv4 address in every way that a network may unwrap.
func TestEmbeddedAddressesAreJudgedAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.SampledFrom([]byte{0, 8, 10, 100, 127, 169, 172, 192, 198, 224, 255}).Draw(t, "first")
		b := [4]byte{first, rapid.Byte().Draw(t, "b"), rapid.Byte().Draw(t, "c"), rapid.Byte().Draw(t, "d")}
		plain := netip.AddrFrom4(b)
		want := outbound.Public(plain)
		if std := plain.IsPrivate() || plain.IsLoopback() || plain.IsLinkLocalUnicast() || plain.IsMulticast() || plain.IsUnspecified(); std && want {
			t.Fatalf("%s is public, the standard library says that it is not", plain)
		}
		mapped := [16]byte{10: 0xff, 11: 0xff, 12: b[0], b[1], b[2], b[3]}
		nat64 := [16]byte{0, 0x64, 0xff, 0x9b, 12: b[0], b[1], b[2], b[3]}
		sixTo4 := [16]byte{0x20, 0x02, b[0], b[1], b[2], b[3], 15: 1}
		teredo := [16]byte{0x20, 0x01, 0, 0, 1, 1, 1, 1, 12: ^b[0], ^b[1], ^b[2], ^b[3]}
		for _, x := range [][16]byte{mapped, nat64, sixTo4, teredo} {
			if a := netip.AddrFrom16(x); outbound.Public(a) != want {
				t.Fatalf("%s is public: %v, but %s: %v", a, !want, plain, want)
			}
		}
	})
}
