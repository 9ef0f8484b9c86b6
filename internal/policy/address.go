package policy

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
)

// parsePrefix reads an address or a range in CIDR notation as IAM does when it
// stores a policy, recorded in 2026. Octets and lengths may have leading zeros
// and a plus sign. IPv6 has no dotted form, and no bits beyond the length of
// its range; those of IPv4 are ignored. usual is false for IPv6 in a form with
// colons that IAM accepts only when it stores a policy. A range of IPv6
// contains no address of IPv4 in any notation: recorded.
func parsePrefix(s string) (prefix netip.Prefix, usual, ok bool) {
	text, length, isRange := strings.Cut(s, "/")
	addr, ok := parseAddress(text)
	if !ok || strings.HasPrefix(text, ":") && !strings.HasPrefix(text, "::") {
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
	return prefix, err == nil, true
}

// IsAddress reports whether a request's value is read as an address.
func IsAddress(s string) bool {
	_, ok := parseRequestAddress(s)
	return ok
}

// parseRequestAddress reads the address of a request. Of the dotted notations
// of IPv6, it only accepts that of an IPv4 address, which means that address.
// There are no zones. Recorded.
func parseRequestAddress(s string) (netip.Addr, bool) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Is4In6() && addr.Zone() == "" {
		return addr.Unmap(), true
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

// octet reads a number of at most most, with any leading zeros and a plus sign.
func octet(s string, most int) (int, bool) {
	s = strings.TrimPrefix(s, "+")
	if !digits(s) {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n <= most
}

// groupsOfIPv6 is the number of groups in an address.
const groupsOfIPv6 = 8

// parseIPv6 reads groups with at most one gap. A group may be empty, except one
// at the end, which counts as none: "2001:db8:::1" and "2001:db8::1:" are
// 2001:db8::1, and ":1::" is 0:1::. Recorded.
func parseIPv6(s string) (netip.Addr, bool) {
	head, tail, gap := strings.Cut(s, "::")
	before, ok := groups(head)
	after, tailOK := groups(tail)
	given := len(before) + len(after)
	if !ok || !tailOK || strings.Contains(tail, "::") || gap && given >= groupsOfIPv6 || !gap && given != groupsOfIPv6 {
		return netip.Addr{}, false
	}
	var b [2 * groupsOfIPv6]byte
	for i, group := range before {
		binary.BigEndian.PutUint16(b[2*i:], group)
	}
	for i, group := range after {
		binary.BigEndian.PutUint16(b[2*(groupsOfIPv6-len(after)+i):], group)
	}
	return netip.AddrFrom16(b), true
}

// groups reads the groups between colons.
func groups(s string) (list []uint16, ok bool) {
	const digits = 4
	if s = strings.TrimSuffix(s, ":"); s == "" {
		return nil, true
	}
	for text := range strings.SplitSeq(s, ":") {
		n, err := strconv.ParseUint("0"+text, 16, 16)
		if err != nil || len(text) > digits {
			return nil, false
		}
		list = append(list, uint16(n))
	}
	return list, true
}
