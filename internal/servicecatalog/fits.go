package servicecatalog

import (
	"slices"
	"strings"
)

// Fits reports whether an action can apply to a resource: "*", or an ARN of a
// form that the action has. An asterisk in the ARN matches anything.
//
// Buckets and objects of S3 are one kind: a simulation accepts either for the
// actions of the other, with any region and account (recorded).
func (a Action) Fits(arn string) bool {
	return arn == "*" || slices.ContainsFunc(a.ARNs, func(pattern string) bool {
		if strings.HasPrefix(pattern, "arn:${Partition}:s3:::${") {
			pattern = "arn:${Partition}:s3:${Region}:${Account}:${Name}"
		}
		return fits(pattern, arn)
	})
}

// FitsForm is Fits, except that a bucket of S3 is not an object: reports of
// last access distinguish them (recorded).
func (a Action) FitsForm(arn string) bool {
	return arn == "*" || slices.ContainsFunc(a.ARNs, func(pattern string) bool { return fits(pattern, arn) })
}

// fits matches an ARN against a pattern with places like ${Account}. Places in
// the first parts of an ARN contain no colon and may be empty. All others
// contain anything and are not empty. It takes the earliest match of the text
// that follows a place, so the cost is proportional to the length of the ARN.
func fits(pattern, arn string) bool {
	for {
		literal, rest, place := strings.Cut(pattern, "${")
		n := common(literal, arn)
		if n < len(literal) {
			return n < len(arn) && arn[n] == '*'
		}
		if arn = arn[n:]; !place {
			return arn == "" || arn[0] == '*'
		}
		name, after, _ := strings.Cut(rest, "}")
		end := placeEnd(name, after, arn)
		if end < 0 {
			return strings.Contains(arn, "*")
		}
		pattern, arn = after, arn[end:]
	}
}

// placeEnd returns the number of bytes of an ARN that a place contains, or -1
// if no number fits. after is the rest of the pattern.
func placeEnd(name, after, arn string) int {
	switch name {
	case "Partition", "Region", "Account":
		return strings.IndexByte(arn, ':')
	}
	if arn == "" {
		return -1
	}
	next, _, more := strings.Cut(after, "${")
	if more {
		if i := strings.Index(arn[1:], next); i >= 0 {
			return i + 1
		}
		return -1
	}
	if !strings.HasSuffix(arn[1:], next) {
		return -1
	}
	return len(arn) - len(next)
}

// common returns the length of the longest common prefix of two texts, in
// bytes.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
