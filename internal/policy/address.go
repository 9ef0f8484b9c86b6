package policy

import (
	"net/netip"
	"strconv"
	"strings"
)

// mappedBits is the length of the part of an IPv6 address before an IPv4
// address that is mapped into it.
const mappedBits = 96

// parsePrefix reads an address or a range in CIDR notation as IAM does when it
// stores a policy, recorded in 2026. Octets and lengths may have leading zeros
// and a plus sign, IPv6 more colons than two in the gap and one at its end.
// IPv6 has no dotted form, and no bits beyond the length of its range; those
// of IPv4 are ignored. usual is false for IPv6 in a notation that only storing
// takes.
func parsePrefix(s string) (prefix netip.Prefix, usual, ok bool) {
	text, length, isRange := strings.Cut(s, "/")
	addr, ok := parseAddress(text)
	if !ok {
		return netip.Prefix{}, false, false
	}
	bits := addr.BitLen()
	if isRange {
		if bits, ok = octet(length, bits); !ok {
			return netip.Prefix{}, false, false
		}
	}
	prefix = netip.PrefixFrom(addr, bits).Masked()
	if addr.Is4() {
		return prefix, true, true
	}
	if prefix.Addr() != addr {
		return netip.Prefix{}, false, false
	}
	_, err := netip.ParseAddr(text)
	usual = err == nil && (!isRange || length == strconv.Itoa(bits))
	if addr.Is4In6() && bits >= mappedBits {
		prefix = netip.PrefixFrom(addr.Unmap(), bits-mappedBits)
	}
	return prefix, usual, true
}

// parseRequestAddress reads the address of a request.
func parseRequestAddress(s string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(s)
	if err == nil {
		return addr.WithZone("").Unmap(), true
	}
	addr, ok := parseAddress(s)
	return addr.Unmap(), ok
}

func parseAddress(s string) (netip.Addr, bool) {
	if strings.Contains(s, ":") {
		return parseIPv6(s)
	}
	var octets [4]byte
	for i := range octets {
		text, rest, found := strings.Cut(s, ".")
		n, ok := octet(text, 255)
		if !ok || found != (i < len(octets)-1) {
			return netip.Addr{}, false
		}
		octets[i], s = byte(n), rest
	}
	return netip.AddrFrom4(octets), true
}

// octet reads a number up to most, with any leading zeros and a plus sign.
func octet(s string, most int) (int, bool) {
	s = strings.TrimPrefix(s, "+")
	if !digits(s) {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n <= most
}

// parseIPv6 takes what netip does but for the dotted form and zones, and colons
// behind the gap and at the end.
func parseIPv6(s string) (netip.Addr, bool) {
	if strings.ContainsAny(s, ".%") {
		return netip.Addr{}, false
	}
	if head, tail, gap := strings.Cut(s, "::"); gap {
		tail = strings.TrimLeft(tail, ":")
		if tail != "" {
			tail = strings.TrimSuffix(tail, ":")
		}
		s = head + "::" + tail
	}
	addr, err := netip.ParseAddr(s)
	return addr, err == nil
}
