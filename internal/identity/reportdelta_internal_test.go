package identity

import "testing"

func FuzzPatch(f *testing.F) {
	for _, s := range [][2]string{{"", "a,b"}, {"a,b", "a,b"}, {"a,true,b", "a,false,b"}, {"aaa", "aa"}, {"aa", "aaaa"},
		{"a", ""}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, base, row string) {
		patch := patchOf(base, row)
		if row == "" {
			if patch != "" {
				t.Errorf("no row has the patch %q", patch)
			}
			return
		}
		got, err := appendPatched(nil, []byte(base), patch)
		if err != nil || string(got) != row {
			t.Errorf("%q, %q: %q, %v", base, row, got, err)
		}
		// With another base a patch is an error or makes another row.
		_, _ = appendPatched(nil, []byte(row), base)
	})
}

func TestPatchOfAnotherBase(t *testing.T) {
	for _, patch := range []string{"2,2,x", "1", "1,1", "-1,0,x", "a,0,x", "0,4294967296,x"} {
		if got, err := appendPatched(nil, []byte("abc"), patch); err == nil {
			t.Errorf("%q: %q", patch, got)
		}
	}
}
