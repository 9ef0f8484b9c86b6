package report

import "time"

// The seconds of the years 0000 to 9999, which four digits can express.
const (
	minUnix = -62167219200 // 0000-01-01T00:00:00Z
	maxUnix = 253402300799 // 9999-12-31T23:59:59Z
)

const (
	secondsPerDay = 24 * 60 * 60
	daysPerEra    = 146097 // 400 Gregorian years
	// Days from 0000-03-01 to 1970-01-01. Years are counted from March, so the
	// leap day is at the end of a year and affects no month.
	marchEpoch = 719468
)

// digits holds 00 to 99, so one division gives two characters.
const digits = "00010203040506070809" +
	"10111213141516171819" +
	"20212223242526272829" +
	"30313233343536373839" +
	"40414243444546474849" +
	"50515253545556575859" +
	"60616263646566676869" +
	"70717273747576777879" +
	"80818283848586878889" +
	"90919293949596979899"

// appendDate writes sec as 2026-09-11T13:14:52Z. It is written by hand because
// time.Time.AppendFormat would be more than half the cost of a report. sec lies
// within minUnix and maxUnix.
func appendDate(dst []byte, sec int64) []byte {
	// Add one era so that everything is positive and unsigned.
	t := uint64(sec + (marchEpoch+daysPerEra)*secondsPerDay)
	days, rest := uint32(t/secondsPerDay), uint32(t%secondsPerDay)

	era, dayOfEra := days/daysPerEra, days%daysPerEra
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36524 - dayOfEra/146096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	fromMarch := (5*dayOfYear + 2) / 153
	day := dayOfYear - (153*fromMarch+2)/5 + 1
	month, year := fromMarch+3, era*400+yearOfEra-400
	if month > 12 {
		month, year = month-12, year+1
	}
	hour, minute, second := rest/3600, rest/60%60, rest%60

	var b [20]byte
	put2(&b, 0, year/100)
	put2(&b, 2, year%100)
	b[4] = '-'
	put2(&b, 5, month)
	b[7] = '-'
	put2(&b, 8, day)
	b[10] = 'T'
	put2(&b, 11, hour)
	b[13] = ':'
	put2(&b, 14, minute)
	b[16] = ':'
	put2(&b, 17, second)
	b[19] = 'Z'
	return append(dst, b[:]...)
}

func put2(b *[20]byte, at int, n uint32) {
	b[at], b[at+1] = digits[2*n], digits[2*n+1]
}

// parseDate reads 2026-09-11T13:14:52Z and 2014-10-15T16:31:25+00:00, the form
// that AWS used until 2024, by itself. The time package reads the other forms
// of RFC 3339, such as fractions of a second, which are dropped.
func parseDate(s string) (sec int64, ok bool) {
	if len(s) == 20 && s[19] == 'Z' {
		return parseSecond(s)
	}
	if len(s) == 25 && s[19:] == "+00:00" {
		return parseSecond(s)
	}
	if len(s) < 20 || s[4] != '-' {
		return 0, false
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return 0, false
	}
	return t.Unix(), true
}

// parseSecond reads the first 19 bytes of s, 2026-09-11T13:14:52, as UTC. s has
// at least 20 bytes.
func parseSecond(s string) (sec int64, ok bool) {
	if s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	century, y := two(s, 0), two(s, 2)
	month, day := two(s, 5), two(s, 8)
	hour, minute, second := two(s, 11), two(s, 14), two(s, 17)
	// A pair that is not a number is far above any limit.
	if century > 99 || y > 99 || month-1 > 11 || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	year := century*100 + y
	if day-1 >= daysIn(year, month) {
		return 0, false
	}
	if month <= 2 {
		month, year = month+12, year-1
	}
	year += 400 // as in appendDate
	era, yearOfEra := year/400, year%400
	dayOfYear := (153*(month-3)+2)/5 + day - 1
	days := era*daysPerEra + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear
	return (int64(days)-daysPerEra-marchEpoch)*secondsPerDay +
		int64(hour*3600+minute*60+second), true
}

// two reads two digits. For other characters it returns at least 1000.
func two(s string, at int) uint32 {
	hi, lo := uint32(s[at])-'0', uint32(s[at+1])-'0'
	if hi > 9 || lo > 9 {
		return 1000
	}
	return hi*10 + lo
}

// daysIn returns the number of days in a month, 1 to 12.
func daysIn(year, month uint32) uint32 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	default:
		return 31
	}
}
