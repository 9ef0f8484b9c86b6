package policy

// Values holds the values of a condition key in a request.
type Values struct {
	// Texts holds the values; if it is empty, the request does not have the
	// key.
	Texts []string
	// List says that the request carries the key as a list, even of only one
	// value. Only operators with ForAllValues or ForAnyValue, and Null, match
	// such a key. More than one value is always a list.
	List bool
}

func (v Values) isList() bool { return v.List || len(v.Texts) > 1 }

// Context returns the values of a condition key for the request being decided:
// none for a key that the request does not have. The key comes in lower case,
// because names of keys have no case in IAM; that also holds for the tag's name
// in aws:PrincipalTag/…. A nil Context has no keys.
//
// It is called only when a statement needs the key, and may be called several
// times for one decision. The values must not change meanwhile.
type Context func(key string) Values

// NewContext returns a context over a map whose keys may be in any case. A key
// with several values is a list.
func NewContext(values map[string][]string) Context {
	folded := make(map[string][]string, len(values))
	for key, list := range values {
		folded[Fold(key)] = list
	}
	return func(key string) Values { return Values{Texts: folded[key]} }
}

func (c Context) values(key string) Values {
	if c == nil {
		return Values{}
	}
	return c(key)
}
