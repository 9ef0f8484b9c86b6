package policy

import (
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// naive is a second evaluator, written from the recorded rules and IAM's
// reference and not from the first one: it walks decoded JSON, replaces
// variables in the text, and matches with regular expressions. TestAgainstNaive
// compares the two.
type naive struct {
	principal Principal
	action    string
	resource  string
	context   map[string]Values // folded keys
	simulated bool
}

// verdict of a set of documents.
type verdict struct{ denied, allowed bool }

func (n naive) set(documents []string, session bool) (v verdict) {
	for _, text := range documents {
		var d map[string]any
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			panic(err)
		}
		for _, st := range d["Statement"].([]any) {
			st := st.(map[string]any)
			switch fits := n.fits(st, session); {
			case st["Effect"] == "Deny" && fits != "no":
				v.denied = true
			case st["Effect"] == "Allow" && fits == "yes":
				v.allowed = true
			}
		}
	}
	return v
}

// decide implements the evaluation logic as a list of questions.
func (n naive) decide(identity, boundary, session, control []string) bool {
	i, b, s, c := n.set(identity, false), n.set(boundary, false), n.set(session, true), n.set(control, false)
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

// fits reports whether a statement applies to the request: yes, no, or failed
// if a comparison could not be made.
func (n naive) fits(st map[string]any, session bool) string {
	anyAction := func(key string) bool {
		for _, a := range texts(st[key]) {
			if glob(lower(a)).MatchString(units(lower(n.action))) {
				return true
			}
		}
		return false
	}
	anyResource := func(key string) bool {
		for _, r := range texts(st[key]) {
			if p, ok := n.expand(r, true); ok && p.MatchString(units(n.resource)) {
				return true
			}
		}
		return false
	}
	if st["Action"] != nil && !anyAction("Action") || st["NotAction"] != nil && anyAction("NotAction") {
		return "no"
	}
	if st["Resource"] != nil && !anyResource("Resource") || st["NotResource"] != nil && anyResource("NotResource") {
		return "no"
	}
	block, _ := st["Condition"].(map[string]any)
	answer := "yes"
	for name, keys := range block {
		for key, values := range keys.(map[string]any) {
			switch n.condition(name, key, texts(values), session) {
			case "no":
				return "no"
			case "failed":
				answer = "failed"
			}
		}
	}
	return answer
}

// condition answers for one key, with the rules in the words of the reference.
func (n naive) condition(name, key string, policy []string, session bool) string {
	have := n.context[strings.ToLower(key)]
	request := have.Texts
	all, any := strings.HasPrefix(name, "ForAllValues:"), strings.HasPrefix(name, "ForAnyValue:")
	name = name[strings.Index(name, ":")+1:]
	ifExists := strings.HasSuffix(name, "IfExists")
	name = strings.TrimSuffix(name, "IfExists")
	positive := strings.Replace(name, "Not", "", 1)
	switch {
	case name == "Null":
		for _, value := range policy {
			if strings.EqualFold(value, "true") == (len(request) == 0) {
				return "yes"
			}
		}
		return "no"
	case len(request) == 0 && all, len(request) == 0 && !any && (ifExists || positive != name):
		return "yes"
	case len(request) == 0:
		return "no"
	case !all && !any && (have.List || len(request) > 1):
		return "no"
	}
	for _, r := range request {
		answer := n.one(name, positive, r, policy, session)
		if answer == "failed" || all && answer == "no" || any && answer == "yes" || !all && !any {
			return answer
		}
	}
	if all {
		return "yes"
	}
	return "no"
}

// one compares one value of the request with those of the policy in turn.
func (n naive) one(name, positive, r string, policy []string, session bool) string {
	switch {
	case positive == "IpAddress" && address(r, true) == nil, strings.HasPrefix(name, "Arn") && !arn(r):
		return "no"
	case n.simulated && name == "NumericNotEquals" && rational(r) == nil:
		return "no"
	}
	for _, p := range policy {
		equal, failed := n.equal(positive, r, p, session)
		if failed {
			return "failed"
		}
		if equal {
			return map[bool]string{true: "yes", false: "no"}[positive == name]
		}
	}
	return map[bool]string{true: "no", false: "yes"}[positive == name]
}

// equal compares one value of the request with one of the policy.
func (n naive) equal(operator, r, p string, session bool) (equal, failed bool) {
	switch {
	case operator == "BinaryEquals":
		x, xerr := base64.StdEncoding.Strict().DecodeString(r)
		y, yerr := base64.StdEncoding.Strict().DecodeString(p)
		return xerr == nil && yerr == nil && string(x) == string(y), false
	case operator == "IpAddress":
		return inNetwork(r, p, session), n.simulated && network(p, session) == nil
	case strings.HasPrefix(operator, "Numeric"):
		x, y := rational(r), rational(p)
		return x != nil && y != nil && ordered(strings.TrimPrefix(operator, "Numeric"), x.Cmp(y)), false
	case strings.HasPrefix(operator, "Date"):
		x, xok := moment(r)
		y, yok := moment(p)
		return xok && yok && ordered(strings.TrimPrefix(operator, "Date"), x.Compare(y)), false
	case strings.HasPrefix(operator, "Arn"):
		return n.sameARN(r, p)
	case operator == "Bool":
		text, ok := n.replace(p)
		return ok && strings.EqualFold(text, "true") == strings.EqualFold(r, "true"), false
	case operator == "StringLike":
		re, ok := n.expand(p, true)
		return ok && re.MatchString(units(r)), false
	}
	text, ok := n.replace(p)
	if operator == "StringEqualsIgnoreCase" {
		return ok && lower(text) == lower(r), false
	}
	return ok && text == r, false
}

// sameARN compares the six parts. A variable of the pools has a colon in its
// value only if it is a whole ARN, so that a text can be split before it is
// expanded.
func (n naive) sameARN(r, p string) (same, failed bool) {
	if whole := variablePattern.FindString(p); whole == p {
		text, ok := n.replace(p)
		if !ok {
			return false, false
		}
		return text == r, !arn(text)
	}
	hidden := strings.NewReplacer("aws:", "aws\x00", "t:", "t\x00").Replace
	shown := strings.NewReplacer("\x00", ":").Replace
	have := strings.SplitN(r, ":", 6)
	want := strings.SplitN(variablePattern.ReplaceAllStringFunc(p, hidden), ":", 6)
	if _, ok := n.expand(p, true); !ok {
		return false, false
	}
	if len(want) < 6 || want[0] != "arn" {
		return false, true
	}
	same = true
	for i := range want {
		re, _ := n.expand(shown(want[i]), true)
		same = same && re.MatchString(units(have[i]))
	}
	return same, false
}

func arn(s string) bool { return regexp.MustCompile(`^(?s:arn(:[^:]*){4}:.*)$`).MatchString(s) }

// units returns a text with each unit of UTF-16 as a separate character.
func units(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		if utf16.IsSurrogate(rune(u)) {
			b.WriteRune(0x100000 + rune(u)) // private use
		} else {
			b.WriteRune(rune(u))
		}
	}
	return b.String()
}

func lower(s string) string { return cases.Lower(language.Und).String(s) }

func glob(pattern string) *regexp.Regexp {
	n := naive{}
	re, _ := n.expand(strings.ReplaceAll(pattern, "$", "${$}"), true)
	return re
}

var variablePattern = regexp.MustCompile(`\$\{([^},]+)(?:, ?'([^']*)')?\}`)

// pieces splits a text into its own pieces and the values of variables between
// them, alternately.
func (n naive) pieces(text string) (list []string, ok bool) {
	ok = true
	for {
		at := variablePattern.FindStringSubmatchIndex(text)
		if at == nil {
			return append(list, text), ok
		}
		key, put := text[at[2]:at[3]], ""
		v := n.context[strings.ToLower(key)]
		switch {
		case strings.Contains("*?$", key):
			put = key
		case v.List || len(v.Texts) > 1:
			ok = false
		case len(v.Texts) == 1:
			put = v.Texts[0]
		case at[4] >= 0:
			put = text[at[4]:at[5]]
		default:
			ok = false
		}
		list = append(list, text[:at[0]], put)
		text = text[at[1]:]
	}
}

func (n naive) replace(text string) (string, bool) {
	list, ok := n.pieces(text)
	return strings.Join(list, ""), ok
}

// expand builds a regular expression, for texts in the form of units.
func (n naive) expand(text string, wild bool) (*regexp.Regexp, bool) {
	list, ok := n.pieces(text)
	var b strings.Builder
	for i, piece := range list {
		for _, r := range units(piece) {
			switch {
			case i%2 == 0 && wild && r == '*':
				b.WriteString(".*")
			case i%2 == 0 && wild && r == '?':
				b.WriteString(".")
			default:
				b.WriteString(regexp.QuoteMeta(string(r)))
			}
		}
	}
	return regexp.MustCompile("^(?s:" + b.String() + ")$"), ok
}

var (
	ipv4Pattern = regexp.MustCompile(`^\+?0*(\d{1,3})\.\+?0*(\d{1,3})\.\+?0*(\d{1,3})\.\+?0*(\d{1,3})$`)
)

// address reads an address in the form of a policy, or of a request.
func address(s string, request bool) net.IP {
	if strings.Contains(s, ":") && strings.Contains(s, ".") {
		if ip := net.ParseIP(s); request && ip.To4() != nil {
			return ip
		}
		return nil
	}
	if m := ipv4Pattern.FindStringSubmatch(s); m != nil {
		return net.ParseIP(strings.Join(m[1:], "."))
	}
	if strings.Count(s, "::") > 1 {
		return nil
	}
	if strings.HasSuffix(s, ":::") || !strings.HasSuffix(s, "::") {
		s = strings.TrimSuffix(s, ":")
	}
	if request && strings.HasPrefix(s, ":") && !strings.HasPrefix(s, "::") {
		s = "0" + s
	}
	return net.ParseIP(strings.Replace(s, ":::", "::0:", 1))
}

// inNetwork reports whether an address of a request is in a network of a
// policy.
func inNetwork(r, p string, session bool) bool {
	n, have := network(p, session), address(r, true)
	return n != nil && have != nil && (have.To4() != nil) == (len(n.IP) == net.IPv4len) && n.Contains(have)
}

// network reads a network of a policy.
func network(p string, session bool) *net.IPNet {
	text, length, ranged := strings.Cut(p, "/")
	ip, bits := address(text, false), 128
	if ip == nil {
		return nil
	}
	if !strings.Contains(text, ":") {
		ip, bits = ip.To4(), 32
	} else {
		ip = ip.To16()
	}
	ones := bits
	if ranged {
		m := regexp.MustCompile(`^\+?0*(\d+)$`).FindStringSubmatch(length)
		if m == nil {
			return nil
		}
		if ones, _ = strconv.Atoi(m[1]); ones > bits {
			return nil
		}
	}
	n := &net.IPNet{IP: ip.Mask(net.CIDRMask(ones, bits)), Mask: net.CIDRMask(ones, bits)}
	if bits == 128 && (!n.IP.Equal(ip) || session && net.ParseIP(text) == nil) {
		return nil
	}
	return n
}

// rational reads a decimal number.
func rational(s string) *big.Rat {
	if !regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$`).MatchString(s) {
		return nil
	}
	x, _ := new(big.Rat).SetString(s)
	return x
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
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil || s[0] == '+':
		return time.Time{}, false
	case n < 0: // a year
		return time.Date(int(n), 1, 1, 0, 0, 0, 0, time.UTC), true
	}
	return time.Unix(n, 0), true
}
