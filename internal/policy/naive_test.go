package policy

import (
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
)

// naive is a second evaluator, written from the rules and not from the first:
// it walks decoded JSON, replaces variables in the text, and matches with
// regular expressions. TestAgainstNaive compares the two.
type naive struct {
	t         testing.TB
	principal Principal
	action    string
	resource  string
	context   map[string][]string // folded keys
}

// verdict of a set of documents.
type verdict struct{ denied, allowed bool }

func (n naive) set(documents []string) (v verdict) {
	for _, text := range documents {
		var d map[string]any
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			n.t.Fatal(err)
		}
		for _, st := range d["Statement"].([]any) {
			if st := st.(map[string]any); n.applies(st) {
				v.denied = v.denied || st["Effect"] == "Deny"
				v.allowed = v.allowed || st["Effect"] == "Allow"
			}
		}
	}
	return v
}

// decide is the evaluation logic as a list of questions.
func (n naive) decide(identity, boundary, session, control []string) bool {
	i, b, s, c := n.set(identity), n.set(boundary), n.set(session), n.set(control)
	if i.denied || b.denied || s.denied || c.denied {
		return false
	}
	return (i.allowed || n.principal.Type == Root) &&
		(b.allowed || len(boundary) == 0) && (s.allowed || len(session) == 0) && (c.allowed || len(control) == 0)
}

func texts(v any) (list []string) {
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	for _, item := range items {
		list = append(list, item.(string))
	}
	return list
}

func (n naive) applies(st map[string]any) bool {
	anyAction := func(key string) bool {
		for _, a := range texts(st[key]) {
			if glob(strings.ToLower(a), strings.ToLower(n.action)) {
				return true
			}
		}
		return false
	}
	anyResource := func(key string) bool {
		for _, r := range texts(st[key]) {
			if p, ok := n.expand(r, true); ok && p.MatchString(n.resource) {
				return true
			}
		}
		return false
	}
	if st["Action"] != nil && !anyAction("Action") || st["NotAction"] != nil && anyAction("NotAction") {
		return false
	}
	if st["Resource"] != nil && !anyResource("Resource") || st["NotResource"] != nil && anyResource("NotResource") {
		return false
	}
	block, _ := st["Condition"].(map[string]any)
	for name, keys := range block {
		for key, values := range keys.(map[string]any) {
			if !n.condition(name, key, texts(values)) {
				return false
			}
		}
	}
	return true
}

func glob(pattern, s string) bool { return reference(pattern, false).MatchString(s) }

var variablePattern = regexp.MustCompile(`\$\{([^},]+)(?:, ?'([^']*)')?\}`)

// expand makes a regular expression of a text with variables.
func (n naive) expand(text string, wild bool) (*regexp.Regexp, bool) {
	resolved := true
	quote := func(s string) string {
		var b strings.Builder
		for _, r := range s {
			switch {
			case wild && r == '*':
				b.WriteString(".*")
			case wild && r == '?':
				b.WriteString(".")
			default:
				b.WriteString(regexp.QuoteMeta(string(r)))
			}
		}
		return b.String()
	}
	var b strings.Builder
	for {
		at := variablePattern.FindStringSubmatchIndex(text)
		if at == nil {
			break
		}
		b.WriteString(quote(text[:at[0]]))
		key := text[at[2]:at[3]]
		values := n.context[strings.ToLower(key)]
		switch {
		case strings.Contains("*?$", key):
			b.WriteString(regexp.QuoteMeta(key))
		case len(values) == 1:
			b.WriteString(regexp.QuoteMeta(values[0]))
		case at[4] >= 0:
			b.WriteString(regexp.QuoteMeta(text[at[4]:at[5]]))
		default:
			resolved = false
		}
		text = text[at[1]:]
	}
	b.WriteString(quote(text))
	return regexp.MustCompile("^(?s:" + b.String() + ")$"), resolved
}

// condition answers for one key; the rules in the words of the reference.
func (n naive) condition(name, key string, policy []string) bool {
	request := n.context[strings.ToLower(key)]
	all, any := strings.HasPrefix(name, "ForAllValues:"), strings.HasPrefix(name, "ForAnyValue:")
	name = name[strings.Index(name, ":")+1:]
	ifExists := strings.HasSuffix(name, "IfExists")
	name = strings.TrimSuffix(name, "IfExists")
	if name == "Null" {
		for _, value := range policy {
			if strings.EqualFold(value, "true") && len(request) == 0 || strings.EqualFold(value, "false") && len(request) > 0 {
				return true
			}
		}
		return false
	}
	positive := strings.Replace(name, "Not", "", 1)
	negated := positive != name
	listed := 0
	for _, r := range request {
		for _, p := range policy {
			if n.equal(positive, r, p) {
				listed++
				break
			}
		}
	}
	switch {
	case all && negated:
		return listed == 0
	case all:
		return listed == len(request)
	case any && negated:
		return listed < len(request)
	case any:
		return listed > 0
	case len(request) == 0:
		return negated || ifExists
	case negated:
		return listed == 0
	}
	return listed > 0
}

// equal compares one value of the request with one of the policy.
func (n naive) equal(operator, r, p string) bool {
	switch {
	case operator == "BinaryEquals":
		x, xerr := base64.StdEncoding.DecodeString(r)
		y, yerr := base64.StdEncoding.DecodeString(p)
		return xerr == nil && yerr == nil && string(x) == string(y)
	case operator == "IpAddress":
		if !strings.Contains(p, "/") {
			return net.ParseIP(r) != nil && net.ParseIP(r).Equal(net.ParseIP(p))
		}
		_, network, err := net.ParseCIDR(p)
		return err == nil && network.Contains(net.ParseIP(r))
	case strings.HasPrefix(operator, "Numeric"):
		x, xok := new(big.Rat).SetString(r)
		y, yok := new(big.Rat).SetString(p)
		return xok && yok && ordered(strings.TrimPrefix(operator, "Numeric"), x.Cmp(y))
	case strings.HasPrefix(operator, "Date"):
		x, xok := moment(r)
		y, yok := moment(p)
		return xok && yok && ordered(strings.TrimPrefix(operator, "Date"), x.Compare(y))
	case strings.HasPrefix(operator, "Arn"):
		return n.sameARN(r, p)
	case operator == "StringLike":
		re, ok := n.expand(p, true)
		return ok && re.MatchString(r)
	case operator == "StringEquals":
		re, ok := n.expand(p, false)
		return ok && re.MatchString(r)
	}
	re, ok := n.expand(strings.ToLower(p), false)
	return ok && regexp.MustCompile("(?i)"+re.String()).MatchString(r)
}

// sameARN compares the six parts. The pools hold no variable with a colon in
// its value, so that the text can be split before it is expanded.
func (n naive) sameARN(r, p string) bool {
	colons := strings.NewReplacer("aws:", "aws\x00").Replace
	have := strings.SplitN(r, ":", 6)
	want := strings.SplitN(variablePattern.ReplaceAllStringFunc(p, colons), ":", 6)
	if len(have) < 6 || len(want) < 6 {
		return false
	}
	for i := range want {
		re, ok := n.expand(strings.ReplaceAll(want[i], "\x00", ":"), true)
		if !ok || !re.MatchString(have[i]) {
			return false
		}
	}
	return true
}

func ordered(relation string, outcome int) bool {
	switch relation {
	case "Equals":
		return outcome == 0
	case "LessThan":
		return outcome < 0
	case "LessThanEquals":
		return outcome <= 0
	case "GreaterThan":
		return outcome > 0
	}
	return outcome >= 0
}

func moment(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02", "2006-01"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	seconds, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return time.Time{}, false
	}
	return time.Unix(seconds.Int64(), 0), true
}
