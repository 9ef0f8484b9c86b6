package identity

import (
	"cmp"
	"fmt"
	"slices"

	"rollcall/internal/store"
	"rollcall/report"
)

// reportRows turns the stored data of users into rows of the report.
type reportRows struct {
	columns   report.Columns
	partition string
	root      string // the ARN of root
	prefix    string // the prefix of every user's ARN
	// rotation is the password policy's maximum age in seconds, 0 for none.
	rotation int64
	row      report.Row
	arn      []byte
}

func newReportRows(b store.ReportBasis) *reportRows {
	account := b.Account.ID
	r := &reportRows{columns: report.Columns22, partition: b.Account.Partition, rotation: int64(b.Policy.MaxAge) * 86400}
	if among(b.Limits, accessKeysPerUser) > 2 || among(b.Limits, certificatesPerUser) > 2 {
		// The guide documents a 23rd column. No live report shows it for
		// accounts whose users cannot have more than two of each.
		r.columns = report.Columns23
	}
	owner := "arn:" + r.partition + ":iam::" + account
	r.root, r.prefix = owner+":root", owner+":user"
	return r
}

// clone returns rows for another goroutine.
func (r *reportRows) clone() *reportRows {
	c := *r
	c.arn = nil
	return &c
}

// reportForm is part of the shape of every report. Raise it when the same user
// gets a different row. TestReportForm notices such a change.
const reportForm = 1

// shape identifies everything besides the users that the rows of a report
// depend on.
func (r *reportRows) shape() string {
	return fmt.Sprintf("%d %s %d %d", reportForm, r.root, r.columns.Len(), r.rotation)
}

// shows says whether a user has a row. Root has none in the partition aws-cn.
func (r *reportRows) shows(u *store.CredentialRow) bool {
	return len(u.NameKey) > 0 || r.partition != "aws-cn"
}

// append appends the row of a user.
func (r *reportRows) append(dst []byte, u *store.CredentialRow) []byte {
	row := &r.row
	*row = report.Row{Created: report.AtUnix(u.Created), MFAActive: report.BoolOf(u.MFA)}
	if len(u.NameKey) == 0 {
		row.User, row.ARN = report.RootUser, r.root
		r.rootPassword(row, u)
	} else {
		// One string serves for both, because the ARN ends in the name.
		r.arn = append(append(append(r.arn[:0], r.prefix...), u.Path...), u.Name...)
		row.ARN = string(r.arn)
		row.User = row.ARN[len(row.ARN)-len(u.Name):]
		r.password(row, u)
	}
	for i, k := range u.Keys[:min(2, len(u.Keys))] {
		row.Keys[i] = keyCells(k)
	}
	if len(u.Certificates) > 0 {
		certificateOrder(u.Certificates)
		for i, c := range u.Certificates[:min(2, len(u.Certificates))] {
			row.Certificates[i] = report.Certificate{Active: report.BoolOf(c.Active),
				LastRotated: report.AtUnix(c.Uploaded)}
		}
	}
	if keys, certificates := len(u.Keys)-2, len(u.Certificates)-2; keys > 0 || certificates > 0 {
		row.Additional = report.TextOf(report.AdditionalCredentials(max(0, keys), max(0, certificates)))
	}
	return r.columns.AppendRow(dst, row)
}

// password fills a user's password cells. They are N/A if the user has no
// password, even if one was used before it was deleted.
func (r *reportRows) password(row *report.Row, u *store.CredentialRow) {
	if !u.HasPassword {
		return
	}
	row.PasswordEnabled = report.True
	row.PasswordLastUsed = usedOrNever(u.PasswordUsed)
	row.PasswordLastChanged = report.AtUnix(u.PasswordChanged)
	if r.rotation > 0 {
		// The present policy counts, even for passwords that were set before it
		// (G: no recording).
		row.PasswordNextRotation = report.AtUnix(u.PasswordChanged + r.rotation)
	}
}

// rootPassword fills root's password cells. Their form differs between
// partitions. Root's password never has to be rotated.
func (r *reportRows) rootPassword(row *report.Row, u *store.CredentialRow) {
	none := report.None(report.NotSupported)
	row.PasswordNextRotation = none
	switch {
	case r.partition == "aws-us-gov":
		row.PasswordEnabled = report.NoBool(report.NotSupported)
		row.PasswordLastUsed, row.PasswordLastChanged = none, none
	case u.HasPassword:
		row.PasswordEnabled = report.True
		row.PasswordLastUsed = usedOrNever(u.PasswordUsed)
		row.PasswordLastChanged = report.AtUnix(u.PasswordChanged)
	}
	// Root without a password: false, N/A, N/A, not_supported (G).
}

func usedOrNever(at int64) report.Time {
	if at == 0 {
		return report.None(report.NoInformation)
	}
	return report.AtUnix(at)
}

func keyCells(k store.CredentialKey) report.Key {
	cells := report.Key{Active: report.BoolOf(k.Active), LastRotated: report.AtUnix(k.Created)}
	if k.Used != 0 {
		cells.LastUsed = report.AtUnix(k.Used)
		cells.LastUsedRegion = report.TextOf(k.Region)
		cells.LastUsedService = report.TextOf(k.Service)
	}
	return cells
}

// certificateOrder sorts certificates, which are in order of id. Inactive ones
// come first, as in the only live recordings of two (G).
func certificateOrder(all []store.CredentialCertificate) {
	slices.SortStableFunc(all, func(a, b store.CredentialCertificate) int {
		switch {
		case a.Active != b.Active && b.Active:
			return -1
		case a.Active != b.Active:
			return 1
		}
		return cmp.Compare(a.Uploaded, b.Uploaded)
	})
}
