package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"time"
)

// renewTime is the time before its end at which a certificate should have been
// replaced.
const renewTime = 14 * 24 * time.Hour

// certificate checks the files of TLS.
func (x *examination) certificate() {
	const check = "TLS certificate"
	if x.Certificate == "" {
		return
	}
	pair, err := tls.LoadX509KeyPair(x.Certificate, x.Key)
	if err != nil {
		x.fault(check, reason(err), "give a PEM certificate chain with --tls-cert, and its key with --tls-key")
		return
	}
	if info, err := os.Stat(x.Key); err == nil && info.Mode().Perm()&0o007 != 0 && !lent(info) {
		x.fault(check, fmt.Sprintf("everybody may read the key %s (mode %04o)", x.Key, info.Mode().Perm()),
			"chmod o= "+x.Key+", and replace the key")
		return
	}
	x.validity(check, pair.Leaf)
}

func (x *examination) validity(check string, leaf *x509.Certificate) {
	left := leaf.NotAfter.Sub(x.Now())
	renew := "replace the files, and send SIGHUP to the service"
	switch {
	case x.Now().Before(leaf.NotBefore):
		x.fault(check, "it is not valid before "+day(leaf.NotBefore), "set the clock, or replace the certificate")
	case left <= 0:
		x.fault(check, "it ended on "+day(leaf.NotAfter), renew)
	case left < renewTime:
		x.warn(check, "it ends on "+day(leaf.NotAfter), renew)
	default:
		x.ok(check, "valid until "+day(leaf.NotAfter))
	}
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
