package plan

import (
	"rollcall/internal/audit"
	"rollcall/report"
)

// Revoke plans for credentials of a row of the report that was begun because
// somebody has decided that they are to go, whatever an audit says of them. Each
// finding says of one credential who decided and why. What was used recently is
// kept all the same, and listed. It keeps nothing of the row beyond the call.
func (p *Plan) Revoke(row *report.Row, decided []audit.Finding) {
	p.account().learn(row)
	d := decision{plan: p, row: row}
	for _, f := range decided {
		switch {
		case row.IsRoot():
			p.leave(leftOf(f, Root, "Nothing of root is automated. "+f.Control.Remediation))
		case f.Credential.Kind == audit.AccessKey || f.Credential.Kind == audit.Password:
			d.give(f.Credential, f)
		case f.Credential.Kind == audit.Certificate:
			p.leave(leftOf(f, Person, "A report does not say when a signing certificate was last used. "+
				f.Control.Remediation))
		default:
			p.leave(leftOf(f, Person, "The report shows no credential of the user: delete the user."))
		}
	}
	for i := range d.targets {
		d.decide(&d.targets[i])
	}
}
