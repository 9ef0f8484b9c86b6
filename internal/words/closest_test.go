package words

import "testing"

func TestClosest(t *testing.T) {
	names := []string{"table", "json", "jsonl", "csv", "C1", "C10", "UsersPerAccount", "cis-1.4", "cis-4.0.1", "cis-7.0"}
	for word, want := range map[string]string{
		"jsno": "json", "tabel": "table", "TABLE": "table", "tab": "table", "usersperacount": "UsersPerAccount",
		"cis7": "cis-7.0", "cis4": "cis-4.0.1",
		"": "", "pdf": "", "C99": "", "x": "",
	} {
		if got := Closest(word, names); got != want {
			t.Errorf("%q is taken for %q, want %q", word, got, want)
		}
	}
}
