package identity

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/access"
	"rollcall/internal/policy"
)

// nobodysID is aws:userid if the request has no caller. Recorded.
const nobodysID = "STUB_PRINCIPAL_FOR_POLICY_SIMULATOR"

// simulatedContext returns the condition keys of a simulated request: the facts
// about its caller, and the given keys. The second result omits placeholders
// for a missing id or caller.
func simulatedContext(
	caller policy.Principal, src source, entries []types.ContextEntry,
) (all, given policy.Context, err error) {
	values := map[string]policy.Values{}
	for _, e := range entries {
		if e.ContextKeyName == nil && e.ContextKeyType == "" && len(e.ContextKeyValues) == 0 {
			continue // recorded
		}
		name := policy.Fold(str(e.ContextKeyName))
		if _, twice := values[name]; twice {
			return nil, nil, fail("InvalidInput", "Duplicate context key: %s.", *e.ContextKeyName)
		}
		if values[name], err = entryValues(e); err != nil {
			return nil, nil, err
		}
	}
	known := access.Context(callerKeys(caller, src))
	given = func(key string) policy.Values {
		v, ok := values[key]
		if !ok && (key != "aws:principalaccount" || caller.ARN != "") {
			v = known(key)
		}
		return v
	}
	all = func(key string) policy.Values {
		v := given(key)
		switch {
		case len(v.Texts) > 0:
		case key == "aws:userid" && caller.ARN != "":
			v.Texts = []string{caller.ARN}
		case key == "aws:userid":
			v.Texts = []string{nobodysID}
		case key == "aws:principalaccount":
			v.Texts = []string{caller.Account}
		}
		return v
	}
	return all, given, nil
}

// callerKeys returns the keys that follow from a caller's ARN and from the tags
// of the simulated entity.
func callerKeys(caller policy.Principal, src source) access.Keys {
	known := map[string]string{"aws:principalaccount": caller.Account}
	if caller.ARN != "" {
		known["aws:principalarn"] = caller.ARN
		if strings.Contains(caller.ARN, ":user/") {
			known["aws:username"], known["aws:principaltype"] = caller.ARN[strings.LastIndexByte(caller.ARN, '/')+1:],
				"User"
		}
	}
	itself := src.arn != "" && src.arn == caller.ARN
	return func(key string) []string {
		if tag, ok := strings.CutPrefix(key, "aws:principaltag/"); ok && itself {
			return access.TagValue(src.tags, "aws:resourcetag/"+tag)
		}
		if v, ok := known[key]; ok {
			return []string{v}
		}
		return nil
	}
}

// entryValues returns the values of a given key in the form that policies
// compare. The errors are recorded. A boolean may be any text.
func entryValues(e types.ContextEntry) (policy.Values, error) {
	name := str(e.ContextKeyName)
	kind, isList := strings.CutSuffix(string(e.ContextKeyType), "List")
	switch {
	case name == "":
		return policy.Values{}, fail("InvalidInput", "ContextKeyName cannot be null or empty.")
	case kind == "":
		return policy.Values{}, fail("InvalidInput", "Context key %s has invalid type null.", name)
	case len(e.ContextKeyValues) == 0:
		return policy.Values{}, fail("InvalidInput", "Context values for context key %s cannot be null or empty.", name)
	case !isList && len(e.ContextKeyValues) != 1:
		return policy.Values{}, fail("InvalidInput", "Context key %s expected a single value, but received %d.",
			kind, len(e.ContextKeyValues)) // the type, not the name
	}
	v := policy.Values{List: isList}
	format, read := "", func(text string) (string, bool) { return text, true }
	switch types.ContextKeyTypeEnum(kind) {
	case types.ContextKeyTypeEnumNumeric:
		format, read = "numeric format", decimalText
	case types.ContextKeyTypeEnumIp:
		format, read = "IP address", func(text string) (string, bool) { return text, policy.IsAddress(text) }
	case types.ContextKeyTypeEnumBinary:
		format, read = "base-64 encoded binary format", func(text string) (string, bool) { return text, isBinary(text) }
	case types.ContextKeyTypeEnumDate:
		format, read = "DateTime format", dateText
	}
	for _, text := range e.ContextKeyValues {
		text, ok := read(text)
		if !ok {
			return v, fail("InvalidInput", "Invalid context value for key %s: expected %s.", name, format)
		}
		v.Texts = append(v.Texts, text)
	}
	return v, nil
}

// decimalText reads a number and writes it as Java's BigDecimal does, which is
// the form that policies see: 01.0 is 1.0, and 1e2 is 1E+2. Recorded.
func decimalText(text string) (string, bool) {
	mantissa, sign, exponent := text, "", 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		n, err := strconv.ParseInt(text[i+1:], 10, 32)
		if err != nil {
			return "", false
		}
		mantissa, exponent = text[:i], int(n)
	}
	if strings.HasPrefix(mantissa, "-") {
		sign, mantissa = "-", mantissa[1:]
	} else {
		mantissa = strings.TrimPrefix(mantissa, "+")
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	scale := len(fraction) - exponent
	if scale < math.MinInt32 || scale > math.MaxInt32 {
		return "", false
	}
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		digits, sign = "0", ""
	}
	adjusted := len(digits) - 1 - scale
	switch {
	case scale == 0:
	case scale > 0 && adjusted >= 0:
		digits = digits[:adjusted+1] + "." + digits[adjusted+1:]
	case scale > 0 && adjusted >= -6:
		digits = "0." + strings.Repeat("0", -adjusted-1) + digits
	default:
		if len(digits) > 1 {
			digits = digits[:1] + "." + digits[1:]
		}
		if adjusted != 0 {
			digits += "E" + signed(adjusted)
		}
	}
	return sign + digits, true
}

// signed returns a number with its sign.
func signed(n int) string {
	if n > 0 {
		return "+" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// isBinary says whether a text is padded base 64 without trailing text.
func isBinary(text string) bool {
	_, err := base64.StdEncoding.Strict().DecodeString(text)
	return err == nil && !strings.ContainsAny(text, "\r\n")
}

// dateText reads a date of ISO 8601, in which only the year is required, or
// seconds since 1970. It writes the date with milliseconds. Recorded.
func dateText(text string) (string, bool) {
	for _, layout := range []string{
		"2006", "2006-01", time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05",
		time.RFC3339, "2006-01-02T15:04:05Z0700",
	} {
		if t, err := time.Parse(layout, text); err == nil {
			return millisecondText(t), true
		}
	}
	const last = math.MaxInt64 / 1000 // as milliseconds
	sec, err := strconv.ParseInt(text, 10, 64)
	if err != nil || sec < -last || sec > last {
		return "", false
	}
	return millisecondText(time.Unix(sec, 0)), true
}

func millisecondText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
