package escape

import "strings"

// Userless returns a URL, or a text that should be one, without the user and the
// password in it, for messages.
func Userless(link string) string {
	at := strings.LastIndexByte(link, '@')
	if at < 0 {
		return link
	}
	if scheme, _, ok := strings.Cut(link[:at], "://"); ok {
		return scheme + "://" + link[at+1:]
	}
	return link[at+1:]
}
