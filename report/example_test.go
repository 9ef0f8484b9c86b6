package report_test

import (
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"rollcall/report"
)

func ExampleNewReader() {
	file := strings.NewReader(`user,arn,user_creation_time,password_enabled,password_last_used,mfa_active
<root_account>,arn:aws:iam::123456789012:root,2014-10-15T16:31:25+00:00,not_supported,2015-04-20T17:41:10+00:00,true
Administrator,arn:aws:iam::123456789012:user/Administrator,2014-10-16T16:03:09Z,true,no_information,false
Bill,arn:aws:iam::123456789012:user/Bill,2015-04-15T18:27:44Z,false,N/A,false`)

	r, err := report.NewReader(file)
	if err != nil {
		log.Fatal(err)
	}
	for row, err := range r.All() {
		if err != nil {
			log.Fatal(err)
		}
		if row.IsRoot() {
			continue
		}
		used, ok := row.PasswordLastUsed.Value()
		switch {
		case ok:
			fmt.Println(row.User, "signed in on", used.Format(time.DateOnly))
		case row.PasswordLastUsed.Absence() == report.NoInformation:
			fmt.Println(row.User, "has a password and never used it")
		default:
			fmt.Println(row.User, "has no password")
		}
		if row.PasswordEnabled.IsTrue() && row.MFAActive.IsFalse() {
			fmt.Println(row.User, "signs in without MFA")
		}
	}
	// Output:
	// Administrator has a password and never used it
	// Administrator signs in without MFA
	// Bill has no password
}

func ExampleNewWriter() {
	w := report.NewWriter(os.Stdout, report.Columns16)
	created := report.At(time.Date(2026, 9, 11, 13, 14, 52, 0, time.UTC))
	rows := []report.Row{
		{
			User: report.RootUser, ARN: "arn:aws:iam::123456789012:root", Created: created,
			PasswordNextRotation: report.None(report.NotSupported),
		},
		{
			User: "a,b", ARN: "arn:aws:iam::123456789012:user/a,b", Created: created,
			Keys: [2]report.Key{{Active: report.True, LastRotated: created}},
		},
	}
	for i := range rows {
		if err := w.WriteRow(&rows[i]); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_2_active,access_key_2_last_rotated,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated
	// <root_account>,arn:aws:iam::123456789012:root,2026-09-11T13:14:52Z,false,N/A,N/A,not_supported,false,false,N/A,false,N/A,false,N/A,false,N/A
	// "a,b","arn:aws:iam::123456789012:user/a,b",2026-09-11T13:14:52Z,false,N/A,N/A,N/A,false,true,2026-09-11T13:14:52Z,false,N/A,false,N/A,false,N/A
}

func ExampleRow_AppendJSON() {
	row := report.Row{
		User: report.RootUser, ARN: "arn:aws:iam::123456789012:root",
		PasswordNextRotation: report.None(report.NotSupported), MFAActive: report.True,
	}
	line := row.AppendJSON(nil)
	fmt.Printf("%s …\n", line[:strings.Index(string(line), `,"access_key_1`)])
	// Output:
	// {"user":"<root_account>","arn":"arn:aws:iam::123456789012:root","user_creation_time":"N/A","password_enabled":false,"password_last_used":"N/A","password_last_changed":"N/A","password_next_rotation":"not_supported","mfa_active":true …
}
