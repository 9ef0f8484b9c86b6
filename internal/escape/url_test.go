package escape

import "testing"

func TestUserless(t *testing.T) {
	for link, want := range map[string]string{
		"https://h/p": "https://h/p", "https://u:secret@h/p": "https://h/p", "u:secret@h": "h", "": "",
		"x://u:se@cret@[::1": "x://[::1",
	} {
		if got := Userless(link); got != want {
			t.Errorf("%s: %s, want %s", link, got, want)
		}
	}
}
