package hostiletest

import "testing"

func TestScripts(t *testing.T) {
	for address, want := range map[string]bool{
		"javascript:1": true, " JavaScript:1": true, "java\nscript:1": true, "vbscript:1": true,
		"data:text/html,x": true, "data:image/png;base64,AA": false, "/console/?a=javascript:1": false, "": false,
		"about:invalid#TemplFailedSanitizationURL": false,
	} {
		if got := isScript(address); got != want {
			t.Errorf("isScript(%q) = %t", address, got)
		}
	}
}
