package identity

import (
	"crypto/hmac"
	"encoding/base64"
	"strconv"
	"strings"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// page describes one page of a list: which items to read, and how to build the
// marker of the next page.
type page struct {
	after string // the key of the previous page's last item, "" for the first page
	limit int
	s     *Service
	bound string
	// of is the part of a marker that describes its list in clear; see pageOf.
	of string
}

// IAM pagination: MaxItems 1-1000, default 100.
const defaultPage = 100

// page reads Marker and MaxItems. A marker is only valid for the account, the
// action and the filter that it was created for. Any other marker is forged or
// misused.
func (s *Service) page(c principal.Caller, action, filter string, marker *string, maxItems *int32) (page, error) {
	p := page{limit: defaultPage, s: s, bound: strings.Join([]string{c.Tenant(), action, filter}, "\x00")}
	if maxItems != nil {
		p.limit = int(*maxItems)
	}
	if marker == nil {
		return p, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(*marker)
	if err != nil || len(raw) < markerMAC {
		return p, errMarker()
	}
	after, mac := raw[markerMAC:], raw[:markerMAC]
	if !hmac.Equal(mac, p.mac(string(after))) {
		return p, errMarker()
	}
	p.after = string(after)
	return p, nil
}

// pageOf is page for actions that distinguish a marker for another list, of
// another job, from an invalid one.
func (s *Service) pageOf(c principal.Caller, actions, of string, marker *string, maxItems *int32) (page, error) {
	p, err := s.page(c, actions, "", marker, maxItems)
	if err != nil || marker == nil {
		p.of = of
		return p, err
	}
	after, ok := strings.CutPrefix(p.after, of)
	if !ok {
		return p, fail("InvalidInput", "The marker passed in the request was invalid.")
	}
	p.of, p.after = of, after
	return p, nil
}

// errMarker is recorded for ListVirtualMFADevices. The other actions give the
// same answer.
func errMarker() error { return fail("ValidationError", "Invalid Marker.") }

// markerMAC is the length of a marker's MAC. Nobody can guess 128 bits, and a
// marker must not be longer than 320 characters.
const markerMAC = 16

func (p page) mac(after string) []byte {
	return p.s.keys.MAC("marker", []byte(p.bound+"\x00"+after))[:markerMAC]
}

// marker returns the Marker that continues after the item with this key.
func (p page) marker(after string) *string {
	after = p.of + after
	return ptr(base64.RawURLEncoding.EncodeToString(append(p.mac(after), after...)))
}

// cut shortens a list that has one item more than the page to the number of
// items that fit into an answer. It returns the marker if there are more. key
// returns an item's key.
func cut[T any](p page, items []T, key func(T) string) (kept []T, truncated bool, marker *string) {
	n := fitting(items[:min(p.limit, len(items))])
	if n == len(items) {
		return items, false, nil
	}
	return items[:n], true, p.marker(key(items[n-1]))
}

// cutAll is cut for lists that are read as a whole because a quota keeps them
// short. It also drops the items of earlier pages. Items are in key order.
func cutAll[T any](p page, items []T, key func(T) string) (kept []T, truncated bool, marker *string) {
	for p.after != "" && len(items) > 0 && key(items[0]) <= p.after {
		items = items[1:]
	}
	return cut(p, items, key)
}

// cutTags is cutAll for tags. A tag key can be longer than a marker may be.
func cutTags(p page, tags []store.Tag) (kept []store.Tag, truncated bool, marker *string) {
	return cutCounted(p, tags)
}

// cutCounted is cutAll for lists whose items have no key that could be in a
// marker. It counts the items of earlier pages.
func cutCounted[T any](p page, items []T) (kept []T, truncated bool, marker *string) {
	before, _ := strconv.Atoi(p.after)
	items = items[min(before, len(items)):]
	n := fitting(items[:min(p.limit, len(items))])
	if n == len(items) {
		return items, false, nil
	}
	return items[:n], true, p.marker(strconv.Itoa(before + n))
}
