package policy

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// number is a decimal number, exact at any size: accounts and epochs in
// nanoseconds do not fit a float64.
type number struct {
	whole   int64 // the number, if isWhole is set
	isWhole bool
	// Otherwise the number is 0.digits times ten to the power of exponent. Only
	// zero has no digits. Neither the first nor the last digit is a zero.
	negative bool
	digits   string
	exponent int64
}

// parseNumber reads an integer or a decimal, with or without an exponent. It
// does not accept the names and the other bases that Go would read.
func parseNumber(s string) (number, bool) {
	if whole, err := strconv.ParseInt(s, 10, 64); err == nil {
		return number{whole: whole, isWhole: true}, true
	}
	return parseDecimal(s)
}

func parseDecimal(s string) (n number, ok bool) {
	text, power := s, ""
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		text, power = s[:i], s[i+1:]
		if n.exponent, ok = exponent(power); !ok {
			return number{}, false
		}
	}
	if text != "" && (text[0] == '-' || text[0] == '+') {
		n.negative, text = text[0] == '-', text[1:]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if !digits(whole + fraction) {
		return number{}, false
	}
	n.digits = strings.TrimLeft(whole+fraction, "0")
	n.exponent += int64(len(n.digits) - len(fraction))
	if n.digits = strings.TrimRight(n.digits, "0"); n.digits == "" {
		return number{}, true // zero has neither sign nor exponent
	}
	return n, true
}

// exponent reads a power of ten within the range of Java's BigDecimal.
func exponent(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 32)
	return n, err == nil && n != math.MinInt32
}

func (n number) compare(o number) int {
	if n.isWhole && o.isWhole {
		return cmp.Compare(n.whole, o.whole)
	}
	n, o = n.decimal(), o.decimal()
	if c := cmp.Compare(n.sign(), o.sign()); c != 0 || n.sign() == 0 {
		return c
	}
	size := cmp.Or(cmp.Compare(n.exponent, o.exponent), cmp.Compare(n.digits, o.digits))
	return size * n.sign()
}

// decimal returns the number in the form of digits.
func (n number) decimal() number {
	if n.isWhole {
		n, _ = parseDecimal(strconv.FormatInt(n.whole, 10))
	}
	return n
}

func (n number) sign() int {
	switch {
	case n.digits == "":
		return 0
	case n.negative:
		return -1
	}
	return +1
}
