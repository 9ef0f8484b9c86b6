package main

import (
	"strings"
	"testing"
)

const module = `# a comment
data = """
{"b":{"Path":"/x/","DefaultVersionId":"v2","CreateDate":"2015-02-06T18:39:46+00:00","UpdateDate":"2016-02-06T18:39:46+00:00",
  "Document": {"Statement": [], "Version": "2012-10-17"}},
 "A":{"Path":"/","DefaultVersionId":"v1","CreateDate":"2015-02-06T18:39:46+00:00","UpdateDate":"2015-02-06T18:39:46+00:00","Document":{}}}
"""
`

func TestPolicies(t *testing.T) {
	const added = "/x/\tAb\t\tv1\t2026-02-06T18:39:00Z\t2026-02-06T18:39:00Z\tof Ab\t{}\n"
	got, err := policies(module, "A\tANPA1\tof A\n", added)
	const want = "/\tA\tANPA1\tv1\t2015-02-06T18:39:46Z\t2015-02-06T18:39:46Z\tof A\t{}\n" + added +
		"/x/\tb\t\tv2\t2015-02-06T18:39:46Z\t2016-02-06T18:39:46Z\t\t{\"Statement\":[],\"Version\":\"2012-10-17\"}\n"
	if got != want || err != nil {
		t.Errorf("%v\n%s", err, got)
	}
	for what, in := range map[string][3]string{
		"no text":                {"data = 1"},
		"no JSON":                {`"""x"""`},
		"an id of nothing":       {module, "C\tANPA2\t\n"},
		"a short line":           {module, "A\tANPA1\n"},
		"a short added line":     {module, "", "/\tC\t\tv1\n"},
		"a policy that is there": {module, "", strings.Replace(added, "Ab", "b", 1)},
	} {
		if _, err := policies(in[0], in[1], in[2]); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}
