package identity_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/store"
)

// A report on a policy of thousands of users contains all of them. Its cost
// grows only in proportion to them.
func TestLastAccessedOfManyUsers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const users = 3000
		db := w.db
		allowAll := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"*"}}`
		p := must(t, w.root, w.CreatePolicy,
			&iam.CreatePolicyInput{PolicyName: ptr("many"), PolicyDocument: &allowAll}).Policy
		name := func(i int) string { return fmt.Sprintf("user-%04d", i) }
		id := func(i int) string { return fmt.Sprintf("AIDA%017d", i) }
		err := db.Update(store.Patiently(t.Context(), 0), func(tx *store.Tx) error {
			for i := range users {
				u := store.User{Account: account, NameKey: name(i), Name: name(i), Path: "/p/",
					ID: id(i), Created: tx.Now}
				if err := tx.InsertUser(u); err != nil {
					return err
				}
				if err := tx.InsertAttachment(store.UserEntity, account, u.NameKey, *p.Arn); err != nil {
					return err
				}
			}
			_, err := tx.CountUser(account, users)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range users {
			for _, action := range []string{"GetUser", "ListUsers"} {
				db.ServiceUsed(store.ServiceUse{Account: account, Principal: id(i), Service: "iam", Action: action,
					At: w.clock.Now().Add(time.Duration(i-users) * time.Second), Region: "eu-west-1"})
			}
		}
		if err := db.Flush(store.Patiently(t.Context(), 0)); err != nil {
			t.Fatal(err)
		}
		// If every user were joined with every attachment, the report would take
		// nine times as long as looking up each user.
		oneByOne, report := time.Duration(1<<62), time.Duration(1<<62)
		var job *string
		slow := func() bool { return report > 5*oneByOne+time.Second/2 }
		// Other work on the machine may delay either.
		for i := 0; i < 3 || i < 12 && slow(); i++ {
			oneByOne = min(oneByOne, timed(func() { readEach(t, db, users, name, id) }))
			report = min(report, timed(func() {
				job = must(t, w.root, w.GenerateServiceLastAccessedDetails,
					&iam.GenerateServiceLastAccessedDetailsInput{Arn: p.Arn,
						Granularity: types.AccessAdvisorUsageGranularityTypeActionLevel}).JobId
			}))
		}
		t.Logf("one by one %s, report %s", oneByOne, report)
		if slow() {
			t.Errorf("the report took %s, reading each user %s", report, oneByOne)
		}
		details := must(t, w.root, w.GetServiceLastAccessedDetails,
			&iam.GetServiceLastAccessedDetailsInput{JobId: job}).ServicesLastAccessed
		last := "arn:aws:iam::" + account + ":user/p/" + name(users-1)
		if len(details) != 1 || *details[0].TotalAuthenticatedEntities != users ||
			*details[0].LastAuthenticatedEntity != last {
			t.Errorf("%+v", details)
		}
		for _, a := range details[0].TrackedActionsLastAccessed {
			if used := *a.ActionName == "GetUser" ||
				*a.ActionName == "ListUsers"; used != (a.LastAccessedEntity != nil) ||
				used && *a.LastAccessedEntity != last {
				t.Errorf("%s: %v", *a.ActionName, a.LastAccessedEntity)
			}
		}
	})
}

func timed(do func()) time.Duration {
	start := time.Now()
	do()
	return time.Since(start)
}

// readEach reads users and their uses one by one.
func readEach(t *testing.T, db *store.DB, n int, name, id func(int) string) {
	t.Helper()
	err := db.View(store.Patiently(context.Background(), 0), func(tx *store.Tx) error {
		for i := range n {
			if _, err := tx.User(account, name(i)); err != nil {
				return err
			}
			if _, err := tx.ServiceUses(account, id(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
