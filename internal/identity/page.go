package identity

import (
	"crypto/hmac"
	"encoding/base64"
	"strconv"
	"strings"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// page is one page of a list: what to read, and the marker of what follows.
type page struct {
	after string // the key of the last item of the page before, "" at first
	limit int
	s     *Service
	bound string
	// of holds what markers also say in clear about their list; see pageOf.
	of string
}

// IAM pagination: MaxItems 1-1000, default 100.
const defaultPage = 100

// page reads Marker and MaxItems. A marker is only good for the account, the
// action and the filter it was created for; anything else is forged or misused.
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

// pageOf is page for actions that tell a marker of theirs for another list, of
// another job, from one that is none.
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

// errMarker is recorded for ListVirtualMFADevices; the others answer alike.
func errMarker() error { return fail("ValidationError", "Invalid Marker.") }

// markerMAC is the length of a marker's MAC: 128 bits are beyond guessing,
// and a marker must not be longer than 320 characters.
const markerMAC = 16

func (p page) mac(after string) []byte {
	return p.s.keys.MAC("marker", []byte(p.bound+"\x00"+after))[:markerMAC]
}

// marker is the Marker that continues after the item with this key.
func (p page) marker(after string) *string {
	after = p.of + after
	return ptr(base64.RawURLEncoding.EncodeToString(append(p.mac(after), after...)))
}

// cut shortens what was read, one item more than the page holds, to what an
// answer has room for, and returns the marker if there is more. key names an
// item's key.
func cut[T any](p page, items []T, key func(T) string) (kept []T, truncated bool, marker *string) {
	n := fitting(items[:min(p.limit, len(items))])
	if n == len(items) {
		return items, false, nil
	}
	return items[:n], true, p.marker(key(items[n-1]))
}

// cutAll is cut for lists that are read whole because a quota keeps them
// short: it also leaves out what earlier pages had. Items are in key order.
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

// cutCounted is cutAll for lists whose items have no key of their own that
// could be in a marker: it counts the items that went before.
func cutCounted[T any](p page, items []T) (kept []T, truncated bool, marker *string) {
	before, _ := strconv.Atoi(p.after)
	items = items[min(before, len(items)):]
	n := fitting(items[:min(p.limit, len(items))])
	if n == len(items) {
		return items, false, nil
	}
	return items[:n], true, p.marker(strconv.Itoa(before + n))
}
